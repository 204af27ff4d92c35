// The job that archives what is old of accounts: an account's first transactions, up to the last before which all were
// booked long enough ago, are packed into one row with the balance behind them, and their ids are kept by themselves.
// What they took from lots goes with them, and so do lots that are empty and of which nothing that stays may give
// anything back: neither a redemption nor a hold. Of what was archived nothing can be undone any more (book_undo.cc);
// everything else finds it in the views of sql/live/69-archive.sql.
#include "pg/jobs/job.hpp"
#include "pg/members/lock.hpp"
#include "pg/server/clock.hpp"
#include "pg/server/for_extent.hpp"
#include "pg/server/in_turn.hpp"

namespace loyalty::pg {

namespace {

class Archiving : public ForExtent<Archiving> {};

// Those of the next accounts whose first transaction in the ledger is old enough.
std::optional<std::vector<JobKey>> next_accounts(JobRun& run, int batch_size) {
    static Query query(
        "SELECT n.member, n.program, n.point_type,"
        "       coalesce((SELECT t.booked_at FROM loyalty.transactions t"
        "                  WHERE t.member = n.member AND t.program = n.program AND t.point_type = n.point_type"
        "                  ORDER BY t.seq LIMIT 1) < $5 - $6, false)"
        "  FROM (SELECT b.member, b.program, b.point_type FROM loyalty.balances b"
        "         WHERE (b.member, b.program, b.point_type) > ($1, $2, $3)"
        "         ORDER BY b.member, b.program, b.point_type LIMIT $4) n"
        " ORDER BY n.member, n.program, n.point_type",
        {TEXTOID, TEXTOID, TEXTOID, INT8OID, TIMESTAMPTZOID, INTERVALOID});
    const JobKey& after = run.after();
    return due_keys(run, query.run({text_argument(after.member), text_argument(after.program),
                                    text_argument(after.part), bigint_argument(batch_size), timestamp_argument(now()),
                                    Argument{run.age(), false}},
                                   true));
}

std::int64_t move_to_archive(const JobKeyArguments& keys, Datum age) {
    static Query query(
        "WITH bound AS MATERIALIZED ("
        "    SELECT b.member, b.program, b.point_type,"
        "           coalesce((SELECT min(t.seq) - 1 FROM loyalty.transactions t"
        "                      WHERE t.member = b.member AND t.program = b.program AND t.point_type = b.point_type"
        "                        AND t.booked_at >= $4 - $5), b.seq) AS seq"
        "      FROM unnest($1::text[], $2::text[], $3::text[]) k (member, program, point_type)"
        "      JOIN loyalty.balances b ON b.member = k.member AND b.program = k.program"
        "          AND b.point_type = k.point_type)"
        ", gone AS ("
        "    DELETE FROM loyalty.transactions t USING bound"
        "     WHERE t.member = bound.member AND t.program = bound.program AND t.point_type = bound.point_type"
        "       AND t.seq <= bound.seq"
        "    RETURNING t.*)"
        ", moved AS ("
        "    DELETE FROM loyalty.lot_movements m USING bound"
        "     WHERE m.member = bound.member AND m.program = bound.program AND m.point_type = bound.point_type"
        "       AND m.seq <= bound.seq"
        "    RETURNING m.*)"
        ", emptied AS ("
        "    DELETE FROM loyalty.lots l USING bound"
        "     WHERE l.member = bound.member AND l.program = bound.program AND l.point_type = bound.point_type"
        "       AND l.seq <= bound.seq AND NOT l.open"
        "       AND NOT EXISTS (SELECT FROM loyalty.hold_lots h"
        "                        WHERE h.member = l.member AND h.program = l.program AND h.point_type = l.point_type"
        "                          AND h.lot = l.seq)"
        "       AND NOT EXISTS (SELECT FROM loyalty.lot_movements m"
        "                        WHERE m.member = l.member AND m.program = l.program AND m.point_type = l.point_type"
        "                          AND m.lot = l.seq AND m.seq > bound.seq))"
        ", kept AS ("
        "    INSERT INTO loyalty.archived_ids (member, program, id, external_id)"
        "    SELECT member, program, id, external_id FROM gone)"
        // Nulls within what callers attached are theirs. Both lists of an account are packed at once, since a join of
        // them would compare each account with each.
        ", piece AS ("
        "    SELECT g.member, g.program, g.point_type, g.seq, 0::bigint AS lot, true AS is_entry, g.balance_after,"
        "           g.debt, g.owed, g.booked_at,"
        "           jsonb_strip_nulls(to_jsonb(g) - '{member,program,point_type,data}'::text[])"
        "           || CASE WHEN g.data IS NULL THEN '{}' ELSE jsonb_build_object('data', g.data) END AS body"
        "      FROM gone g"
        "    UNION ALL"
        "    SELECT m.member, m.program, m.point_type, m.seq, m.lot, false, NULL, NULL, NULL, NULL,"
        "           jsonb_build_object('seq', m.seq, 'lot', m.lot, 'value', m.value)"
        "      FROM moved m)"
        ", packed AS ("
        "    SELECT p.member, p.program, p.point_type, min(p.seq) AS first_seq, max(p.seq) AS seq,"
        "           count(*) FILTER (WHERE p.is_entry) AS entries,"
        "           (array_agg(p.balance_after ORDER BY p.seq DESC) FILTER (WHERE p.is_entry))[1] AS balance,"
        "           sum(p.debt) AS debt, sum(p.owed) AS owed, max(p.booked_at) AS booked_to,"
        "           jsonb_agg(p.body ORDER BY p.seq) FILTER (WHERE p.is_entry) AS transactions,"
        "           jsonb_agg(p.body ORDER BY p.seq, p.lot) FILTER (WHERE NOT p.is_entry) AS movements"
        "      FROM piece p GROUP BY p.member, p.program, p.point_type)"
        ", closed AS ("
        "    INSERT INTO loyalty.account_closings (member, program, point_type, seq, first_seq, balance, debt, owed,"
        "        booked_to, transactions, movements)"
        "    SELECT p.member, p.program, p.point_type, p.seq, p.first_seq, p.balance, p.debt + coalesce(prior.debt, 0),"
        "           p.owed + coalesce(prior.owed, 0), p.booked_to, p.transactions, coalesce(p.movements, '[]')"
        "      FROM packed p"
        "      LEFT JOIN loyalty.account_closings prior ON prior.member = p.member AND prior.program = p.program"
        "          AND prior.point_type = p.point_type AND prior.seq = p.first_seq - 1)"
        " SELECT coalesce(sum(entries), 0)::bigint FROM packed",
        {TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZOID, INTERVALOID});
    const Rows rows =
        query.run({keys.members, keys.programs, keys.parts, timestamp_argument(now()), Argument{age, false}}, true);
    ColumnsInTurn columns(rows);
    return columns.bigint();
}

std::optional<std::int64_t> archive_batch(JobRun& run, int batch_size) {
    const Datum age = run.age();
    const auto accounts = next_accounts(run, batch_size);
    if (!accounts) return std::nullopt;
    return run.work_on(*accounts, [age](std::span<const JobKey> keys) {
        const JobKeyArguments arguments(keys);
        lock_members_of(arguments, keys.size());
        const Archiving archiving;
        return move_to_archive(arguments, age);
    });
}

}  // namespace

extern const Job archive_accounts_job;
const Job archive_accounts_job = {"archive_accounts", "archived", "transactions", "accounts", archive_batch};

}  // namespace loyalty::pg

extern "C" {
PG_FUNCTION_INFO_V1(loyalty_is_archiving);
Datum loyalty_is_archiving(PG_FUNCTION_ARGS) { return BoolGetDatum(loyalty::pg::Archiving::holds()); }
}
