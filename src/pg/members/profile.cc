#include <unordered_set>

#include "pg/members/profile.hpp"
#include "pg/server/in_turn.hpp"
#include "pg/server/input.hpp"
#include "pg/server/kept_queries.hpp"
#include "pg/server/reader.hpp"

namespace loyalty::pg {

namespace {

// The key column of a profile relation as it is now.
struct KeyColumn {
    const char* relation;  // qualified and quoted
    const char* column;    // quoted
    Oid type;
};

KeyColumn find_key_column(const ProfileSource& source) {
    const Oid relation = source.relation;
    const char* name = source.key_column.c_str();
    const KeyColumn found = postgres([=] {
        const char* table = get_rel_name(relation);
        const AttrNumber number =
            table ? get_attnum(relation, pg_any_to_server(name, static_cast<int>(strlen(name)), PG_UTF8))
                  : InvalidAttrNumber;
        if (number == InvalidAttrNumber) return KeyColumn{nullptr, nullptr, InvalidOid};
        return KeyColumn{quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)), table),
                         quote_identifier(get_attname(relation, number, false)), get_atttype(relation, number)};
    });
    if (!OidIsValid(found.type)) {
        throw Error(sqlstate::profiles_missing,
                    "profile database \"" + source.profile_database + "\" has lost its relation or key column",
                    "Its key column is \"" + source.key_column + "\".",
                    "Restore it, or correct loyalty.profile_databases.");
    }
    return found;
}

Rows read_profiles(const KeyColumn& key, Oid type, const std::string& wanted, const char* condition,
                   const Argument& argument) {
    static KeptQueries queries;
    return queries.run(
        "SELECT " + wanted + " FROM " + key.relation + " AS profile WHERE profile." + key.column + condition, type,
        argument);
}

std::string key_text(const KeyColumn& key) { return std::string("CAST(profile.") + key.column + " AS text)"; }

// Keys as an array of the column's type, and the text of each as the column would write it; no text where a key is
// none.
struct CastKeys {
    Argument array;
    std::vector<std::optional<std::string>> texts;
};

CastKeys cast_keys(const std::vector<std::string>& keys, Oid type) {
    CastKeys cast;
    std::vector<Datum> values;
    for (const auto& key : keys) {
        const Argument value = cast_text(key, type);
        cast.texts.push_back(std::nullopt);
        if (value.is_null) continue;
        values.push_back(value.value);
        cast.texts.back() = text_of(postgres([=] {
            Oid output;
            bool is_varlena;
            getTypeOutputInfo(type, &output, &is_varlena);
            return PointerGetDatum(cstring_to_text(OidOutputFunctionCall(output, value.value)));
        }));
    }
    Datum* elements = values.data();
    const int count = static_cast<int>(values.size());
    cast.array = {postgres([=] {
                      int16 length;
                      bool by_value;
                      char alignment;
                      get_typlenbyvalalign(type, &length, &by_value, &alignment);
                      return PointerGetDatum(construct_array(elements, count, type, length, by_value, alignment));
                  }),
                  false};
    return cast;
}

}  // namespace

std::optional<Profile> read_profile(const ProfileSource& source, const std::string& key, Oid caller, bool with_row) {
    const AsReader reader = AsReader::of_profiles(source.relation, source.bundled, caller);
    const KeyColumn column = find_key_column(source);
    const Argument value = cast_text(key, column.type);
    if (value.is_null) return std::nullopt;
    const std::string wanted = with_row ? key_text(column) + ", to_jsonb(profile)" : key_text(column);
    const Rows rows = read_profiles(column, column.type, wanted, " = $1 LIMIT 1", value);
    if (rows.size() == 0) return std::nullopt;
    // A view may answer otherwise the second time, and a cast to text may give nothing: then it is no key.
    ColumnsInTurn columns(rows);
    auto found = columns.optional_text();
    if (!found) return std::nullopt;
    return Profile{*std::move(found), with_row ? columns.optional_datum(JSONBOID) : std::nullopt};
}

std::optional<std::string> find_profile(const ProfileSource& source, const std::string& key, Oid caller) {
    const auto profile = read_profile(source, key, caller, false);
    return profile ? std::optional(profile->key) : std::nullopt;
}

std::vector<std::optional<std::string>> find_profiles(const ProfileSource& source, const std::vector<std::string>& keys,
                                                      Oid caller) {
    const AsReader reader = AsReader::of_profiles(source.relation, source.bundled, caller);
    const KeyColumn column = find_key_column(source);
    CastKeys cast = cast_keys(keys, column.type);
    const Oid array_type = postgres([=] { return get_array_type(column.type); });
    const Rows rows = read_profiles(column, array_type, key_text(column), " = ANY ($1)", cast.array);
    std::unordered_set<std::string> found;
    for (std::uint64_t row = 0; row < rows.size(); row++)
        if (auto text = rows.optional_text(row, 1)) found.insert(*std::move(text));
    for (auto& text : cast.texts) {
        if (text && !found.contains(*text)) text.reset();
    }
    return std::move(cast.texts);
}

}  // namespace loyalty::pg
