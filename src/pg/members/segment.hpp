// Segments of profiles, for what is done to all that are in one now.
#pragma once

#include "pg/members/profile_database.hpp"

namespace loyalty::pg {

// The condition that the profile t is in the segment, as SQL writes it. Error LY705 where there is no such segment.
std::string in_segment(const ProfileDatabase& profiles, const std::string& segment);

// The members of the program whose profiles, as far as the caller may see them, are in the segment, in the order of
// their keys; who was removed is none.
std::vector<std::string> members_in_segment(const ProfileDatabase& profiles, const std::string& segment, Oid caller);

}  // namespace loyalty::pg
