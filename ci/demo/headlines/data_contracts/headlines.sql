SELECT
    min(tweet) AS tweet,
    newsroom,
    headline
FROM (
    SELECT
        source_id AS tweet,
        regexp_replace(source_id, '-[0-9]+$', '') AS newsroom,
        trim(regexp_replace(regexp_replace(text, 'https?://\S+|@\w+', ' ', 'g'), '\s+', ' ', 'g')) AS headline
    FROM tweets
)
WHERE headline <> ''
GROUP BY newsroom, headline
