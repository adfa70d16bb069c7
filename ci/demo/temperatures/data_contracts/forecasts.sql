SELECT
    origin || strftime(hour, ' %Y-%m-%d %H') AS forecast,
    hour AS made,
    list(temp) OVER three_days AS temperatures,
    origin AS airport,
    extract(HOUR FROM hour) AS clock,
    pressure,
    pressure - lag(pressure, 6) OVER ahead AS rise,
    lead(temp, 24) OVER ahead AS tomorrow
FROM hours
WINDOW
    three_days AS (PARTITION BY origin ORDER BY hour ROWS BETWEEN 71 PRECEDING AND CURRENT ROW),
    ahead AS (PARTITION BY origin ORDER BY hour)
QUALIFY row_number() OVER ahead >= 72
