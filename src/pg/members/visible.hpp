// Row-level security of the relation in which the profiles stand, for what is done to members by their keys.
#pragma once

#include <string>

namespace loyalty::pg {

// Error LY203 where row-level security keeps the member's profile from the caller of the function that is at work:
// nobody asks about or books for whom they cannot see. A profile that is gone is kept from nobody, so what an order or
// a redemption left behind can still be taken back; only enrolling and new orders need one. Where it cannot be told
// whether it is gone (behind a view with security_invoker, forced row-level security, or a key of a type that a user
// made), it is not shown. Within a connection to SPI, as the schema's owner.
void require_visible(const std::string& member, const std::string& program);

// Errors LY201, LY203, LY507 unless the program exists and has, or had, the member, whom the caller may see.
void require_member(const std::string& member, const std::string& program);

// Whether it may keep any member of the program from that caller: if not, nobody need be looked up.
bool may_hide_members(const std::string& program);

}  // namespace loyalty::pg
