// Enrolling and removing members of a program: sets of them at a time, as the schema's owner, within a connection to
// SPI.
#pragma once

#include "pg/members/profile_database.hpp"

namespace loyalty::pg {

struct Enrolled {
    std::int64_t enrolled = 0;   // for the first time
    std::int64_t resumed = 0;    // were members before, and were removed
    std::int64_t unchanged = 0;  // are members already
};

// Makes profiles members: registration, initial balances of the first enrolment, start tiers, events.
Enrolled enrol(const ProfileDatabase& profiles, const std::vector<std::string>& members,
               const std::vector<TimestampTz>& registered, TimestampTz now);

// What enrolling gives, to profiles whose rows of loyalty.members were just inserted. Error LY703 (registered in the
// future).
void welcome(const ProfileDatabase& profiles, const std::vector<std::string>& members,
             const std::vector<TimestampTz>& registered, TimestampTz now);

// Error LY203 unless these are keys of profiles, written as their column writes them.
void require_profiles(const ProfileDatabase& profiles, const std::vector<std::string>& members, Oid caller);

struct EnrolledOne {
    std::string member;  // the key as the profile relation writes it
    Enrolled done;
};

// Makes one profile a member. Errors: LY203 (no such profile), LY703 (registered in the future).
EnrolledOne enrol_one(const ProfileDatabase& profiles, const std::string& key,
                      const std::optional<TimestampTz>& registered, Oid caller);

// Ends the stay of members, with their open holds and tiers. Returns how many there were.
std::int64_t remove(const std::string& program, const std::vector<std::string>& members, TimestampTz now);

}  // namespace loyalty::pg
