// loyalty_enrol_trigger: a trigger of a user's own table makes the profile of each row a member.
#include "pg/enrolment/enrolment.hpp"
#include "pg/events/user_trigger.hpp"
#include "pg/server/owner.hpp"
#include "pg/server/trigger.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(loyalty_enrol_trigger);
Datum loyalty_enrol_trigger(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const FiredRow row(fcinfo, "loyalty_enrol_trigger");
        if (row.arguments() != 2) fail_misused("loyalty_enrol_trigger", "Its arguments are a program and a column.");
        const std::string program = row.argument(0);
        const auto member = row.value(row.argument(1));
        const AsOwner owner = AsOwner::writing();
        const Spi connection;
        const ProfileDatabase profiles = load_profile_database(program);
        const auto skipped = refused([&] {
            require_active(profiles);
            if (!member) throw loyalty::Error(loyalty::sqlstate::unknown_profile, "the row names no profile");
            const FreshSnapshot snapshot;
            enrol_one(profiles, *member, std::nullopt, current_caller());
        });
        if (skipped) tell_skipped(program, "member_not_enrolled", member, "", row, "", *skipped);
        return row.result();
    });
}
}
