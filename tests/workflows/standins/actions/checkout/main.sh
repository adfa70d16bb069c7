# A clone of one of the repositories on disk, in the state that the real action leaves.
set -euo pipefail
[[ "$CREDENTIALS" == false ]] || { echo "::error::a token would stay in .git/config: set persist-credentials: false"; exit 1; }
bare=$(readlink -f "$ACTING_REPOSITORIES/$REPOSITORY") && test -d "$bare" || { echo "::error::no repository $REPOSITORY"; exit 1; }
mkdir -p "$GITHUB_WORKSPACE/$FOLDER" && cd "$GITHUB_WORKSPACE/$FOLDER"
git init -q -b main .
git remote add origin "$bare"

# GitHub hands out any commit that it has, by name; a local transport does so only when it is told to.
fetch=(git fetch -q --no-tags --upload-pack "git -c uploadpack.allowAnySHA1InWant=true upload-pack")
if [[ "$DEPTH" == 0 ]]; then
  "${fetch[@]}" --tags "file://$bare" '+refs/heads/*:refs/remotes/origin/*'
else
  fetch+=(--depth "$DEPTH")
fi
if git --git-dir "$bare" rev-parse -q --verify "refs/heads/$REF" >/dev/null; then
  "${fetch[@]}" "file://$bare" "+refs/heads/$REF:refs/remotes/origin/$REF"
  git checkout -q -B "$REF" "refs/remotes/origin/$REF"
else
  "${fetch[@]}" "file://$bare" "$REF"
  git checkout -q --detach FETCH_HEAD
fi
echo "ref=$REF" >>"$GITHUB_OUTPUT"
echo "commit=$(git rev-parse HEAD)" >>"$GITHUB_OUTPUT"
