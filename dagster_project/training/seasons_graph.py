"""``SeasonalNaive`` as the linear regression that it is, for scikit-learn's converter."""


def register() -> None:
    """Tell scikit-learn's converter of ``SeasonalNaive``; telling it twice is as well."""
    from skl2onnx import update_registered_converter
    from skl2onnx.operator_converters.linear_regressor import convert_sklearn_linear_regressor
    from skl2onnx.shape_calculators.linear_regressor import calculate_linear_regressor_output_shapes

    from dagster_project.training.families.seasonal_naive import SeasonalNaive

    update_registered_converter(
        SeasonalNaive, "ThreeActsSeasonalNaive", calculate_linear_regressor_output_shapes,
        convert_sklearn_linear_regressor, overwrite=True,
    )  # fmt: skip
