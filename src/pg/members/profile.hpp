// Profiles in a relation of the user's own.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pg/server/postgres.hpp"

namespace loyalty::pg {

// Where a program's profiles are, as far as one is looked up by its key.
struct ProfileSource {
    std::string profile_database;
    Oid relation = InvalidOid;
    std::string key_column;
    bool bundled = false;  // loyalty.profiles, read as the schema's owner; any other relation as the caller
};

struct Profile {
    std::string key;           // as the key column writes it: "7" for "007" where it is a number
    std::optional<Datum> row;  // as jsonb, where it was asked for; lives until the connection to SPI ends
};

// The profile that `key` means; nothing if there is none. A relation of the user's own is read with the rights of
// `caller`, so row-level security holds for the caller, the bundled one with those of the schema's owner, as
// everywhere. Error LY211 where the relation or its key column is gone.
std::optional<Profile> read_profile(const ProfileSource& source, const std::string& key, Oid caller, bool with_row);

// The same, where the key is all that matters.
std::optional<std::string> find_profile(const ProfileSource& source, const std::string& key, Oid caller);

// The same for many keys in one query: what each of them means, in their order.
std::vector<std::optional<std::string>> find_profiles(const ProfileSource& source, const std::vector<std::string>& keys,
                                                      Oid caller);

}  // namespace loyalty::pg
