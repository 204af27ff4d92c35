// Erasing a member: what is known beyond figures and dates is blanked, and a hash of it kept. It is the only change of
// a booked row that the ledger's trigger lets through, and only while this function is at work.
#include "pg/enrolment/enrolment.hpp"
#include "pg/members/visible.hpp"
#include "pg/server/arguments.hpp"
#include "pg/server/clock.hpp"
#include "pg/server/for_extent.hpp"
#include "pg/server/guarded_writing.hpp"
#include "pg/server/in_turn.hpp"
#include "pg/server/keeping.hpp"

namespace loyalty::pg {

namespace {

class Erasing : public ForExtent<Erasing> {};

Datum erase(const std::string& member, const std::string& program, MemoryContext into) {
    static Query transactions(
        "UPDATE loyalty.transactions SET comment = NULL, data = NULL,"
        "    erased = loyalty_internal.erased_hash(comment, data)"
        " WHERE member = $1 AND program = $2 AND (comment IS NOT NULL OR data IS NOT NULL) RETURNING true",
        {TEXTOID, TEXTOID});
    // The same of those in the archive; answers with how many it has blanked.
    static Query archived(
        "WITH blanked AS ("
        "    UPDATE loyalty.account_closings c SET transactions = kept.transactions"
        "      FROM (SELECT b.point_type, b.seq, count(*) FILTER (WHERE e.body ?| '{comment,data}') AS number,"
        "                   jsonb_agg(CASE WHEN e.body ?| '{comment,data}'"
        "                       THEN e.body - '{comment,data}'::text[] || jsonb_build_object('erased',"
        "                           loyalty_internal.erased_hash(e.body ->> 'comment', e.body -> 'data'))"
        "                       ELSE e.body END ORDER BY e.number) AS transactions"
        "              FROM loyalty.account_closings b"
        "             CROSS JOIN jsonb_array_elements(b.transactions) WITH ORDINALITY e (body, number)"
        "             WHERE b.member = $1 AND b.program = $2"
        "             GROUP BY b.point_type, b.seq) kept"
        "     WHERE c.member = $1 AND c.program = $2 AND c.point_type = kept.point_type AND c.seq = kept.seq"
        "       AND kept.number > 0"
        "    RETURNING kept.number)"
        " SELECT coalesce(sum(number), 0)::bigint FROM blanked",
        {TEXTOID, TEXTOID});
    static Query holds(
        "UPDATE loyalty.holds SET comment = NULL, data = NULL, erased = loyalty_internal.erased_hash(comment, data)"
        " WHERE member = $1 AND program = $2 AND (comment IS NOT NULL OR data IS NOT NULL) RETURNING true",
        {TEXTOID, TEXTOID});
    static Query events(
        "UPDATE loyalty.events SET data = '{}' WHERE profile = $1 AND program = $2 AND data <> '{}' RETURNING true",
        {TEXTOID, TEXTOID});
    static Query reasons(
        "WITH told AS (UPDATE loyalty.member_tier_history SET reason = NULL"
        "    WHERE member = $1 AND program = $2 AND reason IS NOT NULL)"
        " UPDATE loyalty.member_tiers SET given_reason = NULL"
        "     WHERE member = $1 AND program = $2 AND given_reason IS NOT NULL",
        {TEXTOID, TEXTOID});
    static Query codes(
        "UPDATE loyalty.promo_codes SET data = NULL WHERE profile = $1 AND program = $2 AND data IS NOT NULL",
        {TEXTOID, TEXTOID});
    // Orders keep their hash from the beginning, and of what benefits did the figures.
    static Query orders(
        "UPDATE loyalty.orders o SET request = NULL, resolved = NULL,"
        "       result = (SELECT jsonb_build_object('operations', jsonb_agg(figures.kept ORDER BY p.number))"
        "                   FROM jsonb_array_elements(o.result -> 'operations') WITH ORDINALITY p (operation, number),"
        "                        LATERAL (SELECT jsonb_object_agg(key, value) AS kept FROM jsonb_each(p.operation)"
        "                                  WHERE key = ANY ("
        "'{promotion,promotion_type,benefit,level,target,line,discount,"
        "points_discount,points,spent,accrued,pending,cut}')) AS figures"
        "                 HAVING count(*) > 0)"
        "  WHERE o.buyer = 'm:' || $1 AND o.program = $2 AND o.request IS NOT NULL RETURNING true",
        {TEXTOID, TEXTOID});
    static Query answer(
        "SELECT jsonb_build_object('member', $1, 'program', $2, 'transactions', $3 + $7, 'holds', $4, 'events', $5,"
        "    'orders', $6)",
        {TEXTOID, TEXTOID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID});
    const Argument key[] = {text_argument(member), text_argument(program)};
    const auto count = [&](Query& query) {
        return bigint_argument(static_cast<std::int64_t>(query.run({key[0], key[1]}, true).size()));
    };
    const Erasing erasing;
    const GuardedWriting writing;
    const Keeping keeping;
    reasons.run({key[0], key[1]}, true);
    codes.run({key[0], key[1]}, true);
    const Argument blanked[] = {count(transactions), count(holds), count(events), count(orders)};
    const Rows of_archive = archived.run({key[0], key[1]}, true);
    const std::int64_t in_archive = ColumnsInTurn(of_archive).bigint();
    return copy_out(answer.run({key[0], key[1], blanked[0], blanked[1], blanked[2], blanked[3],
                                bigint_argument(in_archive)},
                               true)
                        .datum(0, 1, JSONBOID),
                    into);
}

}  // namespace

}  // namespace loyalty::pg

extern "C" {

PG_FUNCTION_INFO_V1(loyalty_erase_member);
Datum loyalty_erase_member(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const Arguments given(fcinfo);
        const MemoryContext into = CurrentMemoryContext;
        const std::string member = given.required(0, "member"), program = given.required(1, "program");
        const AsOwner owner = AsOwner::writing();
        const Spi connection;
        require_member(member, program);
        remove(program, {member}, now());
        return erase(member, program, into);
    });
}

PG_FUNCTION_INFO_V1(loyalty_is_erasing);
Datum loyalty_is_erasing(PG_FUNCTION_ARGS) { return BoolGetDatum(loyalty::pg::Erasing::holds()); }
}
