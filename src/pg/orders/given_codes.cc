#include "pg/orders/given_codes.hpp"

#include <algorithm>

#include "pg/orders/time.hpp"
#include "pg/server/days.hpp"
#include "pg/server/values.hpp"

namespace loyalty::pg {

namespace {

std::optional<std::int64_t> optional_count(const Rows& rows, std::uint64_t row, int column) {
    if (rows.is_null(row, column)) return std::nullopt;
    return rows.integer(row, column);
}

PromoCodeFacts facts_in(const Rows& rows, std::uint64_t row) {
    PromoCodeFacts facts;
    facts.code = rows.text(row, 1);
    facts.pool = rows.text(row, 2);
    facts.personal = rows.boolean(row, 3);
    facts.profile = rows.optional_text(row, 4);
    facts.expires_at = unix_us(timestamp_at(rows, row, 5));
    facts.valid_from = unix_us(timestamp_at(rows, row, 6));
    facts.valid_until = unix_us(timestamp_at(rows, row, 7));
    facts.uses = rows.integer(row, 8);
    facts.max_uses = optional_count(rows, row, 9);
    facts.max_uses_per_member = optional_count(rows, row, 10);
    facts.uses_of_buyer = bigint_at(rows, row, 11);
    return facts;
}

void lock_codes(const Program& program, const OrderDocument& document) {
    static Query query(
        "SELECT FROM loyalty.promo_codes"
        " WHERE code = ANY (ARRAY(SELECT upper(btrim(given)) FROM unnest($2) AS given)) AND program = $1"
        " ORDER BY code FOR NO KEY UPDATE",
        {TEXTOID, TEXTARRAYOID});
    query.run({text_argument(program.id), texts_argument(document.promo_codes)}, true);
}

// One row per code that the order gives, in its sequence; null where the program has no such code.
Rows read_codes(const Program& program, const OrderDocument& document, const Buyer& buyer,
                const std::vector<std::string>& attached, bool binding) {
    static Query query(
        "SELECT c.code, c.pool, p.kind = 'personal', c.profile, c.expires_at, " LOYALTY_POOL_BEGINS("p") ", " LOYALTY_POOL_ENDS("p") ", c.uses,"
        "       coalesce(p.max_uses, CASE p.kind WHEN 'personal' THEN 1 END), p.max_uses_per_member,"
        "       (SELECT count(*) FROM loyalty.promo_code_uses u"
        "         WHERE u.buyer = $3 AND u.program = $1 AND u.code = c.code AND u.freed_at IS NULL),"
        "       c.code IN (SELECT upper(btrim(a)) FROM unnest($4) AS a)"
        "  FROM unnest($2) WITH ORDINALITY AS o (given, number)"
        "  LEFT JOIN loyalty.promo_codes c ON c.code = upper(btrim(o.given)) AND c.program = $1"
        "  LEFT JOIN loyalty.promo_code_pools p ON p.program = c.program AND p.external_id = c.pool"
        " ORDER BY o.number",
        {TEXTOID, TEXTARRAYOID, TEXTOID, TEXTARRAYOID});
    return query.run({text_argument(program.id), texts_argument(document.promo_codes), text_argument("m:" + buyer.key),
                      texts_argument(attached)},
                     binding);
}

}  // namespace

void find_promo_codes(Order& order, const OrderDocument& document, const Program& program,
                      const std::vector<std::string>& attached, bool binding) {
    if (document.promo_codes.empty()) return;
    if (binding) lock_codes(program, document);
    const Rows rows = read_codes(program, document, order.buyer, attached, binding);
    for (std::uint64_t row = 0; row < rows.size(); row++) {
        PromoCode code;
        code.given = document.promo_codes[row];
        if (!rows.is_null(row, 1)) {
            code.facts = facts_in(rows, row);
            if (rows.boolean(row, 12)) code.facts->profile = order.buyer.key;
            code.status = judge_promo_code(*code.facts, order.buyer, order.time.unix_us);
            const auto pool = std::find(program.pools.begin(), program.pools.end(), code.facts->pool);
            if (pool != program.pools.end()) code.pool = static_cast<Index>(pool - program.pools.begin());
        }
        order.promo_codes.push_back(std::move(code));
    }
    open_pools(order);
}

}  // namespace loyalty::pg
