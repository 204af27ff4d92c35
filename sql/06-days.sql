-- Days and periods that settings name, as moments. A day counts in the program's time zone; it begins at the end of the
-- last instant before it, since midnight itself may come twice where clocks are put back.
--
-- Each is one expression, or one query without tables, which the planner takes into the statement that calls it; so
-- none pins a search path, and none needs to: its body is not text, but was parsed when it was made.

CREATE FUNCTION loyalty_internal.day_begins(day date, time_zone text) RETURNS timestamptz
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN timezone(time_zone, day::timestamp - interval '1 microsecond') + interval '1 microsecond';

COMMENT ON FUNCTION loyalty_internal.day_begins(date, text) IS
    'When a day begins, which is when the day before it ends. Example: SELECT '
    'loyalty_internal.day_begins(''2026-07-01'', ''Europe/Moscow'');';

CREATE FUNCTION loyalty_internal.moment_or_day(moment timestamptz, day date, time_zone text) RETURNS timestamptz
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN day IS NULL THEN moment ELSE loyalty_internal.day_begins(day, time_zone) END;

COMMENT ON FUNCTION loyalty_internal.moment_or_day(timestamptz, date, text) IS
    'A setting that is given as a moment or as a day: when the day begins, or, where none is given, the moment. '
    'Example: SELECT loyalty_internal.moment_or_day(''infinity'', ''2026-07-01'', ''Europe/Moscow'');';

CREATE FUNCTION loyalty_internal.last_day(ends_at timestamptz, time_zone text) RETURNS date
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN timezone(time_zone, ends_at - interval '1 microsecond')::date;

COMMENT ON FUNCTION loyalty_internal.last_day(timestamptz, text) IS
    'The last day of what lasts until a moment, exclusive. Example: SELECT '
    'loyalty_internal.last_day(''2026-07-01 00:00+03'', ''Europe/Moscow'');';

CREATE FUNCTION loyalty_internal.month_end(ends_at timestamptz, time_zone text) RETURNS timestamptz
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN loyalty_internal.day_begins(
        (date_trunc('month', loyalty_internal.last_day(ends_at, time_zone)::timestamp) + interval '1 month')::date,
        time_zone
    );

COMMENT ON FUNCTION loyalty_internal.month_end(timestamptz, text) IS
    'The end of the month that has the last day of what lasts until a moment. Example: SELECT '
    'loyalty_internal.month_end(''2026-07-16 00:00+03'', ''Europe/Moscow'');';

CREATE FUNCTION loyalty_internal.duration(count integer, unit text) RETURNS interval
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE unit
        WHEN 'day' THEN make_interval(days => count)
        WHEN 'week' THEN make_interval(weeks => count)
        WHEN 'month' THEN make_interval(months => count)
        ELSE make_interval(years => count)
    END;

COMMENT ON FUNCTION loyalty_internal.duration(integer, text) IS
    'So many units of the calendar: day, week, month or year. Example: SELECT loyalty_internal.duration(6, ''month'');';

-- Bookings, which know their point type's terms, reckon the same in C++ (Terms::expires_at of src/pg/ledger/terms.cc).
CREATE FUNCTION loyalty_internal.expires_at(active_from timestamptz, count integer, unit text, time_zone text)
    RETURNS timestamptz
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE
        WHEN unit IS NULL THEN 'infinity'
        ELSE loyalty_internal.day_begins(
            (timezone(time_zone, active_from)::date + loyalty_internal.duration(count, unit))::date + 1, time_zone
        )
    END;

COMMENT ON FUNCTION loyalty_internal.expires_at(timestamptz, integer, text, text) IS
    'When points expire that can be spent from a moment on: at the end of the day that is so many units after the day '
    'on which they become active; never where no unit is given. Example: SELECT '
    'loyalty_internal.expires_at(now(), 1, ''year'', ''Europe/Moscow'');';

CREATE FUNCTION loyalty_internal.period_end(
    registered_at timestamptz, number integer, count integer, unit text, time_zone text
)
    RETURNS timestamptz
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN loyalty_internal.day_begins(
        (timezone(time_zone, registered_at)::date + number * loyalty_internal.duration(count, unit))::date, time_zone
    );

COMMENT ON FUNCTION loyalty_internal.period_end(timestamptz, integer, integer, text, text) IS
    'The end of a period, of periods of so many units that are counted from a member''s registration day. Each is '
    'counted from that day itself, so that the 31st stays the 31st wherever there is one. Example: SELECT '
    'loyalty_internal.period_end(now(), 3, 1, ''month'', ''Europe/Moscow'');';

CREATE FUNCTION loyalty_internal.periods_until(
    moment timestamptz, registered_at timestamptz, count integer, unit text, time_zone text
)
    RETURNS integer
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE
        WHEN unit IN ('day', 'week')
            THEN (timezone(time_zone, moment)::date - timezone(time_zone, registered_at)::date)
                / (count * CASE unit WHEN 'week' THEN 7 ELSE 1 END)
        ELSE (
                (extract(year FROM timezone(time_zone, moment)) - extract(year FROM timezone(time_zone, registered_at)))
                * 12
                + extract(month FROM timezone(time_zone, moment))
                - extract(month FROM timezone(time_zone, registered_at))
            )::integer
            / (count * CASE unit WHEN 'year' THEN 12 ELSE 1 END)
    END;

COMMENT ON FUNCTION loyalty_internal.periods_until(timestamptz, timestamptz, integer, text, text) IS
    'How many whole or begun periods of so many units lie between a member''s registration day and a moment, give or '
    'take one. Example: SELECT loyalty_internal.periods_until(now(), ''2024-02-29'', 1, ''year'', ''Europe/Moscow'');';

CREATE FUNCTION loyalty_internal.period_ends(
    since timestamptz, until timestamptz, registered_at timestamptz, count integer, unit text, time_zone text
)
    RETURNS TABLE (at timestamptz)
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 10
    BEGIN ATOMIC
        SELECT loyalty_internal.period_end(registered_at, period.number, count, unit, time_zone)
        FROM generate_series(
            greatest(loyalty_internal.periods_until(since, registered_at, count, unit, time_zone) - 1, 1),
            greatest(loyalty_internal.periods_until(until, registered_at, count, unit, time_zone), 0) + 2
        ) AS period (number);
    END;

COMMENT ON FUNCTION loyalty_internal.period_ends(timestamptz, timestamptz, timestamptz, integer, text, text) IS
    'Ends of a member''s periods: all from one moment to another, perhaps one before, and at least one after. Example: '
    'SELECT at FROM loyalty_internal.period_ends(now(), now(), ''2024-02-29'', 1, ''month'', ''Europe/Moscow'');';
