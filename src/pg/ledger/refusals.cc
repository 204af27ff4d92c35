#include "pg/ledger/refusals.hpp"

#include "pg/ledger/amounts.hpp"

namespace loyalty::pg {

void require_usable(const Terms& terms, const AccountKey& key, TimestampTz now) {
    if (!terms.program_active) {
        throw Error(sqlstate::inactive_program, "program \"" + key.program + "\" is not active", {},
                    "Activate it with UPDATE loyalty.programs SET active = true.");
    }
    if (terms.member_removed) {
        throw Error(sqlstate::removed_member,
                    "member \"" + key.member + "\" was removed from program \"" + key.program + "\"", {},
                    "Enrol the member again.");
    }
    if (!terms.type_usable(now)) {
        throw Error(sqlstate::inactive_point_type, "point type \"" + key.point_type + "\" is not active", {},
                    "Points of an inactive type are neither earned nor spent; see loyalty_activate_point_type().");
    }
}

void fail_insufficient(const ledger::Account& account, std::int64_t wanted, TimestampTz now, int scale,
                       const AccountKey& key) {
    throw Error(
        sqlstate::insufficient_points,
        "member \"" + key.member + "\" has too few points of type \"" + key.point_type + "\"",
        "Wanted are " + show_points(wanted, scale) + ", active " + show_points(account.active(now), scale) + ".",
        "Only active points that are not held can be spent.");
}

void fail_external_id_taken(const std::string& external_id, const std::string& detail) {
    throw Error(sqlstate::external_id_taken, "external id \"" + external_id + "\" was used for something else", detail,
                "Repeat a request with exactly the same content, or use a new id.");
}

}  // namespace loyalty::pg
