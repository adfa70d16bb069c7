-- One row for each scheduled departure: what is known when it is due to leave, and how it went.
SELECT
    strftime(make_date(f.year, f.month, f.day), '%Y%m%d')
        || '-' || f.carrier || f.flight
        || '-' || f.origin
        || '-' || lpad(CAST(f.sched_dep_time AS VARCHAR), 4, '0') AS departure_id,
    f.time_hour + to_minutes(f.minute) AS scheduled_departure,

    -- Known only later: labels, and what leaks them.
    f.arr_delay > 15 AS late,
    CAST(f.arr_delay AS DOUBLE) AS arrival_delay,
    CAST(f.dep_delay AS DOUBLE) AS departure_delay,
    CAST(f.air_time AS DOUBLE) AS air_time,

    -- Known from the schedule.
    f.carrier,
    f.origin,
    f.dest,
    CAST(f.distance AS DOUBLE) AS distance,
    f.month,
    isodow(make_date(f.year, f.month, f.day)) AS weekday,
    f.hour,
    f.minute,

    -- The weather of the scheduled hour at the origin. The station's one reading of 1,048 mph is an error.
    w.temp,
    w.dewp,
    w.humid,
    w.wind_dir,
    CASE WHEN w.wind_speed <= 250 THEN w.wind_speed END AS wind_speed,
    w.wind_gust,
    w.precip,
    w.pressure,
    w.visib,

    -- The plane, where it is registered.
    p.year AS plane_year,
    f.year - p.year AS plane_age,
    p.seats AS plane_seats,
    p.engines AS plane_engines,
    p.engine AS plane_engine,
    p.manufacturer AS plane_manufacturer
FROM flights AS f
LEFT JOIN weather AS w ON w.origin = f.origin AND w.time_hour = f.time_hour
LEFT JOIN planes AS p ON p.tailnum = f.tailnum
