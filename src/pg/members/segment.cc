#include "pg/members/segment.hpp"

#include "pg/server/arguments.hpp"
#include "pg/server/cursor.hpp"
#include "pg/server/in_turn.hpp"

namespace loyalty::pg {

namespace {

constexpr long slice_size = 10'000;

std::vector<std::string> enrolled_of(const std::string& program, const std::vector<std::string>& keys) {
    static Query query(
        "SELECT array_agg(m.member::text ORDER BY m.member)"
        "  FROM unnest($2::text[]) k (member) JOIN loyalty.members m ON m.member = k.member AND m.program = $1"
        " WHERE m.removed_at IS NULL",
        {TEXTOID, TEXTARRAYOID});
    return query.run({text_argument(program), texts_argument(keys)}, true).texts(0, 1);
}

}  // namespace

std::string in_segment(const ProfileDatabase& profiles, const std::string& segment) {
    static Query query(
        "SELECT p.predicate::text, (SELECT array_agg(profile)::text FROM loyalty.profile_segment_members"
        "    WHERE program = $1 AND segment = $2),"
        "       (SELECT jsonb_object_agg(l.profile, l.segments)::text"
        "          FROM (SELECT profile, jsonb_agg(segment) AS segments FROM loyalty.profile_segment_members"
        "                 WHERE program = $1 AND strpos(p.predicate::text, '.\"segments\"') > 0 GROUP BY profile) l)"
        "  FROM loyalty.profile_segments s"
        "  LEFT JOIN loyalty.profile_predicates p ON p.program = s.program AND p.segment = s.external_id"
        " WHERE s.program = $1 AND s.external_id = $2",
        {TEXTOID, TEXTOID});
    const Rows rows = query.run({text_argument(profiles.program), text_argument(segment)}, true);
    if (rows.size() == 0) {
        throw Error(sqlstate::unknown_profile_segment,
                    "profile segment \"" + segment + "\" of program \"" + profiles.program + "\" does not exist", {},
                    "Name one of loyalty.profile_segments.");
    }
    ColumnsInTurn columns(rows);
    const auto predicate = columns.optional_datum(TEXTOID);
    const auto keys = columns.optional_datum(TEXTOID);
    const auto lists = columns.optional_datum(TEXTOID);
    columns.end();
    const auto quoted = [&](Datum value) {
        return std::string(postgres([=] { return quote_literal_cstr(TextDatumGetCString(value)); }));
    };
    const std::string key = "CAST(t." + profiles.key + " AS text)";
    if (predicate) {
        // The relation is read by who may not read the lists of static segments: they are part of the statement.
        return " WHERE (to_jsonb(t) || jsonb_build_object('segments', coalesce(" + (lists ? quoted(*lists) : "'{}'") +
               "::jsonb -> " + key + ", '[]'))) @@ " + quoted(*predicate) + "::jsonpath";
    }
    if (!keys) return " WHERE false";
    return " WHERE " + key + " = ANY (" + quoted(*keys) + "::text[])";
}

namespace {

// The keys of the profiles in the segment, a slice at a time, as far as the caller may see them.
template <class Body>
void for_keys_in_segment(const ProfileDatabase& profiles, const std::string& segment, Oid caller, const Body& body) {
    const std::string condition = in_segment(profiles, segment);
    auto cursor = [&] {
        const AsReader reader = profiles.reader(caller);
        return Cursor("SELECT CAST(t." + profiles.key + " AS text) FROM " + profiles.table + " t" + condition);
    }();
    for (;;) {
        check_interrupts();
        const Rows rows = [&] {
            const AsReader reader = profiles.reader(caller);
            return cursor.fetch(slice_size);
        }();
        if (rows.size() == 0) break;
        std::vector<std::string> keys;
        for (std::uint64_t row = 0; row < rows.size(); row++) {
            if (auto key = rows.optional_text(row, 1)) keys.push_back(*std::move(key));
        }
        body(keys);
    }
    cursor.close();
}

void put(const ReturnSetInfo* result, const std::string& key) {
    const Datum value = text_datum(key);
    postgres([=] {
        Datum values[] = {value};
        bool nulls[] = {false};
        tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
    });
}

}  // namespace

std::vector<std::string> members_in_segment(const ProfileDatabase& profiles, const std::string& segment, Oid caller) {
    std::vector<std::string> members;
    for_keys_in_segment(profiles, segment, caller, [&](const std::vector<std::string>& keys) {
        const Spi slice;
        for (auto& member : enrolled_of(profiles.program, keys)) members.push_back(std::move(member));
    });
    return members;
}

}  // namespace loyalty::pg

extern "C" {
PG_FUNCTION_INFO_V1(loyalty_segment_profiles);
Datum loyalty_segment_profiles(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const Arguments given(fcinfo);
        const std::string program = given.required(0, "program"), segment = given.required(1, "segment");
        postgres([=] { InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC); });
        const auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
        const AsOwner owner = AsOwner::reading();
        const Spi connection;
        for_keys_in_segment(load_profile_database(program), segment, current_caller(),
                            [&](const std::vector<std::string>& keys) {
                                const Spi slice;
                                for (const auto& key : keys) put(result, key);
                            });
        return Datum{0};
    });
}
}
