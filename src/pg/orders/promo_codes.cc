#include "pg/orders/promo_codes.hpp"

#include "core/calculate/benefit.hpp"
#include "pg/events/outbox.hpp"
#include "pg/promo_codes/verbs.hpp"
#include "pg/server/clock.hpp"
#include "pg/server/jsonb.hpp"
#include "pg/server/values.hpp"

namespace loyalty::pg {

void use_promo_codes(const OrderKey& key, const Order& order, const Calculation& calculation) {
    static Query query(
        "WITH used AS ("
        "    INSERT INTO loyalty.promo_code_uses (buyer, program, code, id, order_id, used_at)"
        "    SELECT $1, $2, c.code, c.id, $3, $6 FROM unnest($4, $5) AS c (code, id)"
        "    RETURNING code),"
        " counted AS ("
        "    UPDATE loyalty.promo_codes c SET uses = c.uses + 1 FROM used u WHERE c.code = u.code AND c.program = $2"
        "    RETURNING c.code, c.pool)"
        " INSERT INTO loyalty.events (program, type, profile, data)"
        " SELECT $2, 'promo_code_used', $7, jsonb_build_object('promo_code', code, 'pool', pool, 'order', $3)"
        "   FROM counted WHERE NOT $8 ORDER BY code",
        {TEXTOID, TEXTOID, TEXTOID, TEXTARRAYOID, UUIDARRAYOID, TIMESTAMPTZOID, TEXTOID, BOOLOID});
    std::vector<std::string> codes;
    std::vector<Uuid> ids;
    for (std::size_t i = 0; i < order.promo_codes.size(); i++) {
        if (calculation.promo_codes[i] != PromoCodeStatus::used) continue;
        codes.push_back(order.promo_codes[i].facts->code);
        ids.push_back(make_uuid());
    }
    if (codes.empty()) return;
    const OrderArguments order_key(key);
    query.run({order_key.buyer, order_key.program, order_key.external_id, texts_argument(codes), uuids_argument(ids),
               timestamp_argument(now()), optional_text_argument(key.profile()), boolean_argument(Silence::is_kept())},
              true);
}

namespace {

std::string message_with(const std::string& code, std::string message) {
    constexpr std::string_view placeholder = "{{ promo_code }}";
    for (std::size_t at = message.find(placeholder); at != std::string::npos;
         at = message.find(placeholder, at + code.size()))
        message.replace(at, placeholder.size(), code);
    return message;
}

// With all that a mailing needs, which reads nothing but events.
void tell_issued(const OrderKey& key, const IssuedCode& issued, const PromoCodePool& pool) {
    JsonbWriter data;
    const auto text = [&](std::string_view name, std::string_view value) {
        data.key(name);
        data.text(value);
    };
    data.begin_object();
    text("promo_code", *issued.code);
    text("pool", issued.pool);
    if (pool.mailing_name) text("template", *pool.mailing_name);
    text("order", key.external_id);
    text("promotion", issued.promotion);
    text("promotion_name", issued.promotion_name);
    if (!issued.message.empty()) text("message", issued.message);
    data.end_object();
    add_event(key.program, "promo_code_issued", key.profile(), data.take());
}

}  // namespace

std::vector<IssuedCode> issue_promo_codes(const OrderKey& key, const Program& program, const Calculation& calculation) {
    std::vector<IssuedCode> issued;
    for (const auto& operation : calculation.operations) {
        if (operation.entry.kind != Entry::Kind::promo_code) continue;
        const BenefitEntry& benefit = program.benefits[operation.entry.benefit];
        const PromoCodePool pool = find_pool(key.program, std::string(benefit.rule->pool()));
        const auto code = issue_promo_code(pool, *key.profile(), key.external_id);
        const Promotion& promotion = program.promotions[program.conditions[benefit.condition].promotion];
        issued.push_back(
            {promotion.id, promotion.name, pool.id, code, code ? message_with(*code, operation.text) : std::string()});
        if (code) tell_issued(key, issued.back(), pool);
    }
    return issued;
}

void give_back_promo_codes(const OrderKey& key) {
    static Query lock(
        "SELECT FROM loyalty.promo_codes c"
        "  JOIN (SELECT u.code FROM loyalty.promo_code_uses u"
        "         WHERE u.buyer = $1 AND u.program = $2 AND u.order_id = $3 AND u.freed_at IS NULL"
        "        UNION"
        "        SELECT i.code FROM loyalty.promo_codes i"
        "         WHERE i.profile = substr($1, 3) AND i.program = $2 AND i.order_id = $3) k ON k.code = c.code"
        " WHERE c.program = $2"
        " ORDER BY c.code FOR NO KEY UPDATE OF c",
        {TEXTOID, TEXTOID, TEXTOID});
    static Query free(
        "WITH freed AS ("
        "    UPDATE loyalty.promo_code_uses SET freed_at = $4"
        "     WHERE buyer = $1 AND program = $2 AND order_id = $3 AND freed_at IS NULL RETURNING code)"
        " UPDATE loyalty.promo_codes c SET uses = c.uses - 1 FROM freed f WHERE c.code = f.code AND c.program = $2",
        {TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID});
    static Query detach(
        "UPDATE loyalty.promo_codes SET profile = NULL, attached_at = NULL, order_id = NULL,"
        "       expires_at = coalesce(expires_at_if_free, expires_at), expires_at_if_free = NULL"
        " WHERE profile = substr($1, 3) AND program = $2 AND order_id = $3 AND uses = 0",
        {TEXTOID, TEXTOID, TEXTOID});
    const OrderArguments order(key);
    if (lock.run({order.buyer, order.program, order.external_id}, true).size() == 0) return;
    free.run({order.buyer, order.program, order.external_id, timestamp_argument(now())}, true);
    detach.run({order.buyer, order.program, order.external_id}, true);
}

}  // namespace loyalty::pg
