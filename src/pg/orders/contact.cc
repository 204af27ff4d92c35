#include "pg/orders/contact.hpp"

#include "pg/members/profile_database.hpp"

namespace loyalty::pg {

void look_up_member(OrderDocument& document, const std::string& program, Oid caller) {
    if (!document.contact) return;
    const auto [field, value] = *document.contact;
    const ProfileDatabase profiles = load_profile_database(program);
    auto keys = find_profile_keys(profiles, value, field, caller);
    const std::string at = "At $.member." + field + ", the value is \"" + value + "\".";
    if (keys.empty()) {
        throw Error(
            sqlstate::unknown_profile, "invalid order: the member is not in the profile database", at,
            "Give what a profile of \"" + profiles.external_id + "\" has, or no member for an anonymous guest.");
    }
    if (keys.size() > 1) {
        throw Error(sqlstate::ambiguous_profile, "invalid order: several profiles have this " + field, at,
                    "Give the key of one: loyalty_find_member() lists them.");
    }
    document.member = std::move(keys.front());
    document.contact.reset();
}

}  // namespace loyalty::pg
