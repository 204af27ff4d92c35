#include "pg/members/visible.hpp"

#include <map>
#include <memory>

#include "pg/members/profile_database.hpp"
#include "pg/server/in_turn.hpp"
#include "pg/server/input.hpp"
#include "pg/server/kept_value.hpp"

extern "C" {
#include "utils/rls.h"
}

namespace loyalty::pg {

namespace {

// Of those programs that were asked for, where their profiles are.
using ProfileRelations = std::map<std::string, Oid>;

std::shared_ptr<ProfileRelations> none_yet() { return std::make_shared<ProfileRelations>(); }

// Nothing if there is no such program, which is others' to say.
std::optional<Oid> find_profile_relation(const std::string& program) {
    static Query query(
        "SELECT d.relation::oid FROM loyalty.programs p JOIN loyalty.profile_databases d"
        "    ON d.external_id = p.profile_database"
        " WHERE p.external_id = $1",
        {TEXTOID});
    const Rows rows = query.run({text_argument(program)});
    return rows.size() == 0 ? std::nullopt : std::optional(rows.oid(0, 1));
}

// Kept, since every booking asks. Changes of profile databases are told as changes of programs: see
// sql/live/05-cache.sql.
std::optional<Oid> profile_relation(const std::string& program) {
    static KeptValue<std::shared_ptr<ProfileRelations>> kept("programs", none_yet);
    const auto relations = kept.get();
    if (!relations || IsInParallelMode()) return find_profile_relation(program);
    const auto known = (*relations)->find(program);
    if (known != (*relations)->end()) return known->second;
    const LatestSnapshot latest;
    const auto found = find_profile_relation(program);
    if (found) (*relations)->emplace(program, *found);
    return found;
}

// Whether rows may be kept from the role.
bool may_hide_rows(Oid relation, Oid role) {
    if (postgres([=] { return check_enable_rls(relation, role, true) == RLS_ENABLED; })) return true;
    return is_read_by_invoker(relation) && !postgres([=] { return has_bypassrls_privilege(role); });
}

bool finds(const ProfileDatabase& profiles, const Argument& key) {
    if (key.is_null) return false;
    return run_on_profiles("SELECT FROM " + profiles.table + " WHERE " + profiles.key + " = $1 LIMIT 1",
                           profiles.key_type, key)
               .size() > 0;
}

bool is_visible(const ProfileDatabase& profiles, const std::string& member, Oid caller) {
    const AsReader reader = profiles.reader(caller);
    return finds(profiles, cast_text(member, profiles.key_type));
}

// Whether the profile is nowhere. Asked as the relation's owner, so only where nothing of a user's runs while a row is
// looked up: in a plain table whose owner is bound by no policy, by a key of a type of the server's own.
bool is_gone(const ProfileDatabase& profiles, const std::string& member, Oid caller) {
    const Oid type = profiles.key_type;
    if (type >= FirstNormalObjectId || !is_plain_table(profiles.relation)) return false;
    const AsReader owner = AsReader::owner_of(profiles.relation, caller);
    return !finds(profiles, cast_text(member, type));
}

}  // namespace

bool may_hide_members(const std::string& program) {
    const auto relation = profile_relation(program);
    return relation && may_hide_rows(*relation, current_caller());
}

void require_visible(const std::string& member, const std::string& program) {
    const Oid caller = current_caller();
    const auto relation = profile_relation(program);
    if (!relation || !may_hide_rows(*relation, caller)) return;
    const ProfileDatabase profiles = load_profile_database(program);
    if (is_visible(profiles, member, caller) || is_gone(profiles, member, caller)) return;
    throw Error(sqlstate::unknown_profile, "\"" + member + "\" is not in the profile database", {},
                "Give a key of profile database \"" + profiles.external_id + "\".");
}

void require_member(const std::string& member, const std::string& program) {
    static Query query(
        "SELECT EXISTS (SELECT FROM loyalty.programs WHERE external_id = $2),"
        "       EXISTS (SELECT FROM loyalty.members WHERE member = $1 AND program = $2)",
        {TEXTOID, TEXTOID});
    const Rows rows = query.run({text_argument(member), text_argument(program)});
    ColumnsInTurn exists(rows);
    if (!exists.boolean()) {
        throw Error(sqlstate::unknown_program, "program \"" + program + "\" does not exist", {},
                    "Name one of loyalty.programs.");
    }
    if (!exists.boolean())
        throw Error(sqlstate::not_a_member, "\"" + member + "\" is no member of program \"" + program + "\"");
    require_visible(member, program);
}

}  // namespace loyalty::pg
