// The relation in which a program's profiles stand: the user's own, read with the caller's rights, or the bundled one,
// read as the schema's owner.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pg/members/profile.hpp"
#include "pg/server/owner.hpp"
#include "pg/server/reader.hpp"
#include "pg/server/values.hpp"

namespace loyalty::pg {

struct ProfileDatabase {
    std::string program, external_id, time_zone;
    bool program_active = false;
    bool bundled = false;
    Oid relation = InvalidOid;
    std::string key_name, email_name, phone_name;  // columns; empty: none
    std::string table, key;                        // as SQL writes them
    Oid key_type = InvalidOid;

    ProfileSource source() const { return {external_id, relation, key_name, bundled}; }

    // The box in which it is read.
    AsReader reader(Oid caller) const { return AsReader::of_profiles(relation, bundled, caller); }
};

// Of a program. Errors: LY201 (no such program), LY211 (relation or key column is gone).
ProfileDatabase load_profile_database(const std::string& program);

// Error LY202 unless the program is active.
void require_active(const ProfileDatabase& profiles);

// A column of the relation, or an attribute of the bundled profiles, as an expression and its type (text where it is an
// attribute). Error LY702 where there is none of that name.
struct ProfileField {
    std::string expression;
    Oid type;
};
ProfileField profile_field(const ProfileDatabase& profiles, const std::string& name);

// The profile's key as its column writes it; nothing if there is none of this key that the reader may see. Error LY706
// where there are several.
std::optional<std::string> find_profile_key(const ProfileDatabase& profiles, const std::string& key, Oid caller);

// Keys of the profiles that have this value in a field: key, email or phone, as the profile database names their
// columns, any other column, or an attribute of the bundled profiles. Error LY702 where there is no such field.
std::vector<std::string> find_profile_keys(const ProfileDatabase& profiles, const std::string& value,
                                           const std::string& field, Oid caller);

// Documents of profiles: the relation's row as jsonb text; nothing where there is none.
std::vector<std::optional<std::string>> profile_documents(const ProfileDatabase& profiles,
                                                          const std::vector<std::string>& members, Oid caller);

// Runs a query whose text depends on names of the user's.
Rows run_on_profiles(const std::string& text, Oid type, const Argument& argument);

}  // namespace loyalty::pg
