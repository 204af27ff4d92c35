#include "pg/members/profile_database.hpp"
#include "pg/server/in_turn.hpp"
#include "pg/server/input.hpp"
#include "pg/server/kept_queries.hpp"

namespace loyalty::pg {

namespace {

struct Column {
    const char* table;   // qualified and quoted
    const char* column;  // quoted
    Oid type;
};

Column find_column(Oid relation, const std::string& column) {
    const char* name = column.c_str();
    return postgres([=] {
        const char* table = get_rel_name(relation);
        const AttrNumber number =
            table ? get_attnum(relation, pg_any_to_server(name, static_cast<int>(strlen(name)), PG_UTF8))
                  : InvalidAttrNumber;
        if (number <= 0) return Column{nullptr, nullptr, InvalidOid};
        return Column{quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)), table),
                      quote_identifier(get_attname(relation, number, false)), get_atttype(relation, number)};
    });
}

}  // namespace

ProfileDatabase load_profile_database(const std::string& program) {
    static Query query(
        "SELECT d.external_id, p.time_zone, p.active, d.relation = 'loyalty.profiles'::regclass, d.relation::oid,"
        "    d.key_column::text,"
        "       coalesce(d.email_column::text, ''), coalesce(d.phone_column::text, '')"
        "  FROM loyalty.programs p JOIN loyalty.profile_databases d ON d.external_id = p.profile_database"
        " WHERE p.external_id = $1",
        {TEXTOID});
    const Rows rows = query.run({text_argument(program)});
    if (rows.size() == 0) {
        throw Error(sqlstate::unknown_program, "program \"" + program + "\" does not exist", {},
                    "Name one of loyalty.programs.");
    }
    ProfileDatabase profiles;
    profiles.program = program;
    ColumnsInTurn column(rows);
    profiles.external_id = column.text();
    profiles.time_zone = column.text();
    profiles.program_active = column.boolean();
    profiles.bundled = column.boolean();
    profiles.relation = column.oid();
    profiles.key_name = column.text();
    profiles.email_name = column.text();
    profiles.phone_name = column.text();
    column.end();
    const Column key = find_column(profiles.relation, profiles.key_name);
    if (!OidIsValid(key.type)) {
        throw Error(sqlstate::profiles_missing,
                    "profile database \"" + profiles.external_id + "\" has lost its relation or key column",
                    "Its key column is \"" + profiles.key_name + "\".",
                    "Restore it, or correct loyalty.profile_databases.");
    }
    profiles.table = key.table;
    profiles.key = key.column;
    profiles.key_type = key.type;
    return profiles;
}

void require_active(const ProfileDatabase& profiles) {
    if (profiles.program_active) return;
    throw Error(sqlstate::inactive_program, "program \"" + profiles.program + "\" is not active", {},
                "Activate it with UPDATE loyalty.programs SET active = true.");
}

ProfileField profile_field(const ProfileDatabase& profiles, const std::string& name) {
    const Column column = find_column(profiles.relation, name);
    if (OidIsValid(column.type)) return {column.column, column.type};
    if (profiles.bundled) {
        const char* attribute = name.c_str();
        const char* literal = postgres([=] {
            return quote_literal_cstr(pg_any_to_server(attribute, static_cast<int>(strlen(attribute)), PG_UTF8));
        });
        return {"(attributes ->> " + std::string(literal) + ")", TEXTOID};
    }
    throw Error(sqlstate::unknown_profile_field,
                "profile database \"" + profiles.external_id + "\" has no column \"" + name + "\"", {},
                "Name a column of " + profiles.table + ".");
}

std::optional<std::string> find_profile_key(const ProfileDatabase& profiles, const std::string& key, Oid caller) {
    const AsReader reader = profiles.reader(caller);
    const Argument value = cast_text(key, profiles.key_type);
    if (value.is_null || key.empty()) return std::nullopt;
    const Rows rows = run_on_profiles("SELECT CAST(" + profiles.key + " AS text) FROM " + profiles.table + " WHERE " +
                                          profiles.key + " = $1 LIMIT 2",
                                      profiles.key_type, value);
    if (rows.size() == 0) return std::nullopt;
    if (rows.size() > 1) {
        throw Error(sqlstate::ambiguous_profile, "\"" + key + "\" is the key of several profiles", {},
                    "Keys of profile database \"" + profiles.external_id + "\" have to be unique.");
    }
    // A cast to text may give nothing: then it is no key.
    return rows.optional_text(0, 1);
}

std::vector<std::string> find_profile_keys(const ProfileDatabase& profiles, const std::string& value,
                                           const std::string& field, Oid caller) {
    const bool by_email = field == "email" && !profiles.email_name.empty();
    const bool by_phone = field == "phone" && !profiles.phone_name.empty();
    const ProfileField column = profile_field(profiles, field == "key" ? profiles.key_name
                                                        : by_email     ? profiles.email_name
                                                        : by_phone     ? profiles.phone_name
                                                                       : field);
    const AsReader reader = profiles.reader(caller);
    const Argument wanted = cast_text(value, column.type);
    if (wanted.is_null) return {};
    const Rows rows = run_on_profiles("SELECT CAST(" + profiles.key + " AS text) FROM " + profiles.table + " WHERE " +
                                          column.expression + " = $1 AND " + profiles.key + " IS NOT NULL",
                                      column.type, wanted);
    std::vector<std::string> keys;
    for (std::uint64_t row = 0; row < rows.size(); row++)
        if (auto key = rows.optional_text(row, 1)) keys.push_back(*std::move(key));
    return keys;
}

std::vector<std::optional<std::string>> profile_documents(const ProfileDatabase& profiles,
                                                          const std::vector<std::string>& members, Oid caller) {
    const AsReader reader = profiles.reader(caller);
    const char* type =
        postgres([&profiles_type = profiles.key_type] { return format_type_be_qualified(profiles_type); });
    const Rows rows = run_on_profiles(
        "SELECT k.number, to_jsonb(t)::text FROM unnest($1) WITH ORDINALITY k (member, number)"
        " JOIN " +
            profiles.table + " t ON t." + profiles.key + " = CAST(k.member AS " + type + ")",
        TEXTARRAYOID, texts_argument(members));
    std::vector<std::optional<std::string>> documents(members.size());
    for (std::uint64_t row = 0; row < rows.size(); row++) {
        ColumnsInTurn columns(rows, row);
        auto& document = documents[static_cast<std::size_t>(columns.bigint() - 1)];
        document = columns.text();
    }
    return documents;
}

Rows run_on_profiles(const std::string& text, Oid type, const Argument& argument) {
    static KeptQueries queries;
    return queries.run(text, type, argument);
}

}  // namespace loyalty::pg
