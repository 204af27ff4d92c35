#include "pg/orders/given_codes.hpp"

#include <algorithm>

#include "pg/orders/time.hpp"
#include "pg/server/in_turn.hpp"

namespace loyalty::pg {

namespace {

// Nothing where the program has no such code.
std::optional<PromoCodeFacts> facts_in(const Rows& rows, std::uint64_t row, const Buyer& buyer) {
    ColumnsInTurn column(rows, row);
    const auto code = column.optional_text();
    if (!code) return std::nullopt;
    PromoCodeFacts facts;
    facts.code = *code;
    facts.pool = column.text();
    facts.personal = column.boolean();
    facts.profile = column.optional_text();
    facts.expires_at = unix_us(column.timestamp());
    facts.valid_from = unix_us(column.timestamp());
    facts.valid_until = unix_us(column.timestamp());
    facts.uses = column.integer();
    facts.max_uses = column.optional_integer();
    facts.max_uses_per_member = column.optional_integer();
    facts.uses_of_buyer = column.bigint();
    const bool is_attached = column.boolean();
    if (is_attached) facts.profile = buyer.key;
    column.end();
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
        "SELECT c.code, c.pool, p.kind = 'personal', c.profile, c.expires_at,"
        "       loyalty_internal.moment_or_day(p.valid_from, p.starts_on, g.time_zone),"
        "       loyalty_internal.moment_or_day(p.valid_until, p.ends_on + 1, g.time_zone), c.uses,"
        "       coalesce(p.max_uses, CASE p.kind WHEN 'personal' THEN 1 END), p.max_uses_per_member,"
        "       (SELECT count(*) FROM loyalty.promo_code_uses u"
        "         WHERE u.buyer = $3 AND u.program = $1 AND u.code = c.code AND u.freed_at IS NULL),"
        "       c.code IN (SELECT upper(btrim(a)) FROM unnest($4) AS a)"
        "  FROM unnest($2) WITH ORDINALITY AS o (given, number)"
        "  LEFT JOIN loyalty.promo_codes c ON c.code = upper(btrim(o.given)) AND c.program = $1"
        "  LEFT JOIN loyalty.promo_code_pools p ON p.program = c.program AND p.external_id = c.pool"
        "  LEFT JOIN loyalty.programs g ON g.external_id = p.program"
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
        code.facts = facts_in(rows, row, order.buyer);
        if (code.facts) {
            code.status = judge_promo_code(*code.facts, order.buyer, order.time.unix_us);
            const auto pool = std::find(program.pools.begin(), program.pools.end(), code.facts->pool);
            if (pool != program.pools.end()) code.pool = static_cast<Index>(pool - program.pools.begin());
        }
        order.promo_codes.push_back(std::move(code));
    }
    open_pools(order);
}

}  // namespace loyalty::pg
