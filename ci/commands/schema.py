"""``acts schema``: the JSON Schema of what people write, for the editors they write it in."""

import json

import click


@click.command("schema")
@click.argument("document", type=click.Choice(["spec", "floor"]))
def command(document: str) -> None:
    """Print the JSON Schema (Draft 2020-12) of models/NAME/spec.yaml or models/floor.yaml."""
    from dagster_project.domain.gates import Floor
    from dagster_project.domain.spec import ModelSpec

    schema = (ModelSpec if document == "spec" else Floor).model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    click.echo(json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False))
