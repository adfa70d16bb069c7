WITH hours AS (
    SELECT
        origin,
        unnest(generate_series(min(time_hour), max(time_hour), INTERVAL 1 HOUR)) AS hour
    FROM weather
    GROUP BY origin
),

readings AS (
    SELECT
        origin,
        time_hour AS hour,
        avg(temp) AS temp,
        avg(pressure) AS pressure
    FROM weather
    GROUP BY origin, time_hour
)

SELECT
    hours.origin,
    hours.hour,
    readings.temp,
    readings.pressure
FROM hours
LEFT JOIN readings USING (origin, hour)
