// loyalty_fire_trigger: a trigger of a user's own table fires a trigger promotion for each row.
#include <cctype>

#include "pg/events/user_trigger.hpp"
#include "pg/promotions/trigger_rules.hpp"
#include "pg/server/input.hpp"
#include "pg/server/owner.hpp"
#include "pg/server/trigger.hpp"

namespace loyalty::pg {

namespace {

// Whether the row has not fired the promotion yet.
bool mark_fired(const std::string& relation, const std::string& key, const std::string& program,
                const std::string& promotion) {
    static Query query(
        "INSERT INTO loyalty.fired_rows (relation, row_key, program, promotion) VALUES ($1, $2, $3, $4)"
        "    ON CONFLICT DO NOTHING RETURNING true",
        {TEXTOID, TEXTOID, TEXTOID, TEXTOID});
    return query
               .run({text_argument(relation), text_argument(key), text_argument(program), text_argument(promotion)},
                    true)
               .size() > 0;
}

std::string hash_of(const std::string& text) {
    static Query query("SELECT encode(sha256(convert_to($1, 'UTF8')), 'hex')", {TEXTOID});
    return query.run({text_argument(text)}, true).text(0, 1);
}

// The key, or its hash where an index would have no room for it.
std::string short_key(const std::string& key) { return key.size() <= 1000 ? key : hash_of(key); }

// Promotion, table and key, as far as they make an external id: there is room for them, and no blank at their end.
std::string firing_id(const std::string& promotion, const std::string& relation, const std::string& key) {
    const std::string id = promotion + ":" + relation + ":" + key;
    return id.size() <= 255 && !isspace(static_cast<unsigned char>(id.back())) ? id : hash_of(id);
}

void fire_row(const FiredRow& row) {
    const std::string promotion = row.argument(0), relation = row.relation(), key = row.key();
    const auto member = row.value(row.argument(1));
    const auto amount = row.arguments() == 3 ? row.value(row.argument(2)) : std::nullopt;
    const std::string program = program_of(promotion, std::nullopt);
    const auto skipped = refused([&] {
        if (!mark_fired(relation, short_key(key), program, promotion)) return;
        if (!member) throw Error(sqlstate::not_a_member, "the row names no member");
        if (row.arguments() == 3 && !amount) throw Error(sqlstate::amount_outside_rule, "the row names no amount");
        Firing firing;
        firing.promotion = promotion;
        firing.member = *member;
        firing.external_id = firing_id(promotion, relation, key);
        firing.source_type = "table";
        firing.source = relation + ":" + key;
        if (amount) {
            const Argument number = cast_text(*amount, NUMERICOID);
            if (number.is_null) throw Error(sqlstate::amount_outside_rule, "the amount is not a number");
            firing.amount = number.value;
        }
        fire(firing, program, CurrentMemoryContext);
    });
    if (skipped) tell_skipped(program, "promotion_not_fired", member, promotion, row, key, *skipped);
}

}  // namespace

}  // namespace loyalty::pg

extern "C" {

PG_FUNCTION_INFO_V1(loyalty_fire_trigger);
Datum loyalty_fire_trigger(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const FiredRow row(fcinfo, "loyalty_fire_trigger");
        if (row.arguments() != 2 && row.arguments() != 3)
            fail_misused("loyalty_fire_trigger",
                         "Its arguments are a promotion, a column, and perhaps another column.");
        const AsOwner owner = AsOwner::writing();
        const Spi connection;
        fire_row(row);
        return row.result();
    });
}
}
