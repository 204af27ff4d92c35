// The SQL functions of enrolment: enrolling one profile, those of a segment, or all; removing.
#include "pg/enrolment/enrolment.hpp"
#include "pg/members/segment.hpp"
#include "pg/members/visible.hpp"
#include "pg/server/arguments.hpp"
#include "pg/server/clock.hpp"
#include "pg/server/cursor.hpp"
#include "pg/server/days.hpp"
#include "pg/server/in_turn.hpp"
#include "pg/server/input.hpp"

namespace loyalty::pg {

namespace {

constexpr long slice_size = 10'000;

// ---------------------------------------------------------------------------------------------------------------------
// Registration dates

// A text as a moment, by the program's time zone where it names none.
std::optional<TimestampTz> read_moment(const std::string& text, const std::string& time_zone) {
    pg_tz* const session = session_timezone;
    session_timezone = find_zone(time_zone);
    Argument moment;
    try {
        moment = cast_text(text, TIMESTAMPTZOID);
    } catch (...) {
        session_timezone = session;
        throw;
    }
    session_timezone = session;
    if (moment.is_null) return std::nullopt;
    const TimestampTz found = DatumGetTimestampTz(moment.value);
    return TIMESTAMP_NOT_FINITE(found) ? std::nullopt : std::optional(found);
}

// The field as a query's expression: a moment where its type is one of time, otherwise a text that is still to be read.
std::string date_expression(const ProfileDatabase& profiles, const std::string& field) {
    const ProfileField found = profile_field(profiles, field);
    switch (found.type) {
        case TIMESTAMPTZOID:
            return found.expression;
        case DATEOID:
        case TIMESTAMPOID:
            return "timezone('" + profiles.time_zone + "', " + found.expression + "::timestamp)";
        default:
            return found.expression + "::text";
    }
}

struct Registration {
    std::optional<TimestampTz> at;
    const char* problem = nullptr;
};

// What a field has, as a timestamp where it can be had; null where there is nothing.
std::optional<TimestampTz> read_date(ColumnsInTurn& columns, const ProfileDatabase& profiles) {
    if (columns.type() != TIMESTAMPTZOID) {
        const auto text = columns.optional_text();
        return text ? read_moment(*text, profiles.time_zone) : std::nullopt;
    }
    const auto at = columns.optional_timestamp();
    return at && !TIMESTAMP_NOT_FINITE(*at) ? at : std::nullopt;
}

Registration read_registration(ColumnsInTurn& columns, const ProfileDatabase& profiles, TimestampTz now) {
    const bool is_given = !columns.is_null();
    const Registration registration{read_date(columns, profiles)};
    if (!is_given) return {{}, "no registration date"};
    if (!registration.at) return {{}, "unreadable registration date"};
    if (*registration.at > now) return {{}, "registration date in the future"};
    if (has_year_of_two_digits(*registration.at)) return {{}, "registration date in a year of two digits"};
    return registration;
}

// ---------------------------------------------------------------------------------------------------------------------
// Many at once

struct Report {
    Enrolled done;
    std::vector<std::optional<std::string>> skipped, reasons, values;

    void skip(const std::optional<std::string>& member, const char* reason,
              const std::optional<std::string>& value = std::nullopt) {
        skipped.push_back(member);
        reasons.emplace_back(reason);
        values.push_back(value);
    }

    Datum answer(MemoryContext into) const {
        static Query query(
            "SELECT jsonb_build_object('enrolled', $1, 'resumed', $2, 'unchanged', $3, 'skipped',"
            "       (SELECT coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('reason', s.reason, 'value',"
            "           s.value))"
            "                                  || jsonb_build_object('member', s.member) ORDER BY s.member, s.reason),"
            "                                      '[]')"
            "          FROM unnest($4::text[], $5::text[], $6::text[]) s (member, reason, value)))",
            {INT8OID, INT8OID, INT8OID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID});
        const Rows rows = query.run({bigint_argument(done.enrolled), bigint_argument(done.resumed),
                                     bigint_argument(done.unchanged), optional_texts_argument(skipped),
                                     optional_texts_argument(reasons), optional_texts_argument(values)});
        return copy_out(rows.datum(0, 1, JSONBOID), into);
    }
};

// Who may become a member.
struct Applicant {
    std::optional<std::string> member;
    Registration registration;
    std::optional<std::string> date;  // as the field has it, where that is a problem
    std::int64_t rows;
};

// When the applicants registered: the same for all, or what a field of each has.
struct Registered {
    TimestampTz at;
    std::optional<std::string> field;
};

// One row for each key.
std::string applicants(const ProfileDatabase& profiles, const std::optional<std::string>& field,
                       const std::string& condition) {
    return "SELECT CAST(t." + profiles.key + " AS text), " +
           (field ? "min(" + date_expression(profiles, *field) + ")" : "NULL::timestamptz") + ", count(*) FROM " +
           profiles.table + " t" + condition + " GROUP BY 1 ORDER BY 1";
}

Applicant read_applicant(ColumnsInTurn columns, const Registered& registered, const ProfileDatabase& profiles,
                         TimestampTz now) {
    Applicant applicant{columns.optional_text(), {registered.at}, {}, 0};
    if (registered.field) {
        const ColumnsInTurn date = columns;
        applicant.registration = read_registration(columns, profiles, now);
        if (applicant.registration.problem) applicant.date = date.shown();
    } else {
        columns.skip(1);
    }
    applicant.rows = columns.bigint();
    columns.end();
    return applicant;
}

// Those of a slice who can be enrolled, with their dates.
struct Accepted {
    std::vector<std::string> members;
    std::vector<TimestampTz> dates;
};

Accepted accept(const Rows& rows, const Registered& registered, const ProfileDatabase& profiles, TimestampTz now,
                Report& report) {
    Accepted accepted;
    for (std::uint64_t row = 0; row < rows.size(); row++) {
        const Applicant applicant = read_applicant(ColumnsInTurn(rows, row), registered, profiles, now);
        const auto& member = applicant.member;
        for (auto extra = applicant.rows - (member ? 1 : 0); extra > 0; extra--)
            report.skip(member, member ? "duplicate key" : "no key");
        if (!member) continue;
        if (member->empty()) {
            report.skip(member, "no key");
        } else if (applicant.registration.problem) {
            report.skip(member, applicant.registration.problem, applicant.date);
        } else {
            accepted.members.push_back(*member);
            accepted.dates.push_back(*applicant.registration.at);
        }
    }
    return accepted;
}

void tell_progress(const Report& report) {
    const auto enrolled = static_cast<long long>(report.done.enrolled + report.done.resumed);
    const auto seen =
        enrolled + static_cast<long long>(report.done.unchanged + static_cast<std::int64_t>(report.skipped.size()));
    postgres([=] { ereport(NOTICE, (errmsg("enrolled %lld of %lld profiles", enrolled, seen))); });
}

Datum enrol_many(const ProfileDatabase& profiles, const std::optional<TimestampTz>& registered,
                 const std::optional<std::string>& field, const std::string& condition, MemoryContext into) {
    require_active(profiles);
    const TimestampTz moment = now();
    if (registered && field) {
        throw Error(sqlstate::registration_unreadable, "the registration date is given twice", {},
                    "Give a date, or the field of the profile that has it.");
    }
    if (registered && (TIMESTAMP_NOT_FINITE(*registered) || *registered > moment))
        throw Error(sqlstate::registration_in_future, "the registration date is in the future");
    if (registered && has_year_of_two_digits(*registered)) {
        throw Error(sqlstate::registration_unreadable, "the registration date is in a year of two digits", {},
                    "Write years in full.");
    }
    const Oid caller = current_caller();
    auto cursor = [&] {
        const AsReader reader = profiles.reader(caller);
        return Cursor(applicants(profiles, field, condition));
    }();
    Report report;
    for (;;) {
        check_interrupts();
        const Rows rows = [&] {
            const AsReader reader = profiles.reader(caller);
            return cursor.fetch(slice_size);
        }();
        if (rows.size() == 0) break;
        const Spi slice;
        const Accepted accepted = accept(rows, {registered.value_or(moment), field}, profiles, moment, report);
        const Enrolled done = enrol(profiles, accepted.members, accepted.dates, moment);
        report.done.enrolled += done.enrolled;
        report.done.resumed += done.resumed;
        report.done.unchanged += done.unchanged;
        if (rows.size() == static_cast<std::uint64_t>(slice_size)) tell_progress(report);
    }
    cursor.close();
    return report.answer(into);
}

Datum enrolled_answer(const std::string& key, const std::string& program, const Enrolled& done, MemoryContext into) {
    static Query query(
        "SELECT jsonb_strip_nulls(to_jsonb(m)) || jsonb_build_object('outcome', $3) FROM loyalty.members m"
        "    WHERE m.member = $1 AND m.program = $2",
        {TEXTOID, TEXTOID, TEXTOID});
    const char* outcome = done.enrolled ? "enrolled" : done.resumed ? "resumed" : "unchanged";
    const Rows rows = query.run({text_argument(key), text_argument(program), text_argument(outcome)}, true);
    return copy_out(rows.datum(0, 1, JSONBOID), into);
}

// The registration date of one profile, from its field.
TimestampTz registration_of(const ProfileDatabase& profiles, const std::string& key, const std::string& field,
                            Oid caller) {
    const AsReader reader = profiles.reader(caller);
    const Argument value = cast_text(key, profiles.key_type);
    const Rows rows = run_on_profiles("SELECT " + date_expression(profiles, field) + " FROM " + profiles.table +
                                          " t WHERE t." + profiles.key + " = $1 LIMIT 1",
                                      profiles.key_type, value);
    Registration registration{{}, "no registration date"};
    if (rows.size() > 0) {
        ColumnsInTurn columns(rows);
        registration = read_registration(columns, profiles, now());
    }
    if (!registration.problem) return *registration.at;
    throw Error(sqlstate::registration_unreadable, "the registration date of \"" + key + "\" cannot be used",
                "Field \"" + field + "\": " + registration.problem + ".", "Correct the profile, or give a date.");
}

// ---------------------------------------------------------------------------------------------------------------------
// Removing

std::int64_t remove_all(const std::string& program) {
    static Query query(
        "SELECT array_agg(x.member) FROM (SELECT member FROM loyalty.members"
        "                                  WHERE program = $1 AND removed_at IS NULL AND member > $2"
        "                                      ORDER BY member LIMIT 10000) x",
        {TEXTOID, TEXTOID});
    std::int64_t removed = 0;
    for (std::string after;;) {
        check_interrupts();
        const Spi slice;
        const std::vector<std::string> members =
            query.run({text_argument(program), text_argument(after)}, true).texts(0, 1);
        if (members.empty()) return removed;
        removed += remove(program, members, now());
        const auto total = static_cast<long long>(removed);
        if (members.size() == 10'000) postgres([=] { ereport(NOTICE, (errmsg("removed %lld members", total))); });
        after = members.back();
    }
}

}  // namespace

}  // namespace loyalty::pg

extern "C" {

PG_FUNCTION_INFO_V1(loyalty_enrol);
Datum loyalty_enrol(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const Arguments given(fcinfo);
        const MemoryContext into = CurrentMemoryContext;
        const std::string key = given.required(0, "member"), program = given.required(1, "program");
        auto registered = given.moment(2);
        const auto field = given.text(3);
        const AsOwner owner = AsOwner::writing();
        const Spi connection;
        const ProfileDatabase profiles = load_profile_database(program);
        require_active(profiles);
        if (registered && field) {
            throw loyalty::Error(loyalty::sqlstate::registration_unreadable, "the registration date is given twice", {},
                                 "Give a date, or the field of the profile that has it.");
        }
        if (field && find_profile_key(profiles, key, current_caller()))
            registered = registration_of(profiles, key, *field, current_caller());
        const EnrolledOne one = enrol_one(profiles, key, registered, current_caller());
        return enrolled_answer(one.member, program, one.done, into);
    });
}

PG_FUNCTION_INFO_V1(loyalty_enrol_all);
Datum loyalty_enrol_all(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const Arguments given(fcinfo);
        const MemoryContext into = CurrentMemoryContext;
        const std::string program = given.required(0, "program");
        const AsOwner owner = AsOwner::writing();
        const Spi connection;
        return enrol_many(load_profile_database(program), given.moment(1), given.text(2), "", into);
    });
}

PG_FUNCTION_INFO_V1(loyalty_enrol_segment);
Datum loyalty_enrol_segment(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const Arguments given(fcinfo);
        const MemoryContext into = CurrentMemoryContext;
        const std::string program = given.required(0, "program"), segment = given.required(1, "segment");
        const AsOwner owner = AsOwner::writing();
        const Spi connection;
        const ProfileDatabase profiles = load_profile_database(program);
        return enrol_many(profiles, given.moment(2), given.text(3), in_segment(profiles, segment), into);
    });
}

PG_FUNCTION_INFO_V1(loyalty_remove_member);
Datum loyalty_remove_member(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const Arguments given(fcinfo);
        const std::string member = given.required(0, "member"), program = given.required(1, "program");
        const AsOwner owner = AsOwner::writing();
        const Spi connection;
        require_member(member, program);
        return BoolGetDatum(remove(program, {member}, now()) > 0);
    });
}

PG_FUNCTION_INFO_V1(loyalty_remove_all_members);
Datum loyalty_remove_all_members(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const std::string program = Arguments(fcinfo).required(0, "program");
        const AsOwner owner = AsOwner::writing();
        const Spi connection;
        load_profile_database(program);
        return Int64GetDatum(remove_all(program));
    });
}
}
