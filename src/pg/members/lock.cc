#include "pg/members/lock.hpp"

#include "pg/events/outbox.hpp"

namespace loyalty::pg {

// By keys, however many they are: left to itself the planner hashes all members for each slice of some thousands, and
// then a call about all of them takes time with the square of their number (measured).

void lock_members(const std::string& program, const std::vector<std::string>& members) {
    static Query query(
        "SELECT FROM unnest($2::text[]) k (member) JOIN loyalty.members m ON m.member = k.member AND m.program = $1"
        " ORDER BY m.member FOR NO KEY UPDATE OF m",
        {TEXTOID, TEXTARRAYOID});
    prepare_outbox();
    query.run({text_argument(program), texts_argument(members)}, true);
}

void lock_members_of(const JobKeyArguments& keys, std::size_t count) {
    static Query query(
        "SELECT FROM unnest($1::text[], $2::text[]) k (member, program)"
        "  JOIN loyalty.members m ON m.member = k.member AND m.program = k.program"
        " ORDER BY m.member, m.program FOR NO KEY UPDATE OF m",
        {TEXTARRAYOID, TEXTARRAYOID});
    prepare_outbox();
    query.run({keys.members, keys.programs}, true);
}

}  // namespace loyalty::pg
