// loyalty_apply: freezes the promotion tree of a program as a new version; and what the tables of benefits ask the
// engine.
#include "codec/tree_reader.hpp"
#include "core/benefits/benefit_types.hpp"
#include "core/bound/bound.hpp"
#include "core/compile/compile.hpp"
#include "core/program/rules.hpp"
#include "core/program/tree.hpp"

#include <algorithm>
#include <string>

#include "pg/promotions/draft.hpp"
#include "pg/server/jsonb.hpp"
#include "pg/server/memory.hpp"
#include "pg/server/owner.hpp"
#include "pg/server/schema_version.hpp"
#include "pg/server/spi.hpp"

namespace loyalty::pg {

namespace {

// The version in force if nothing was changed since; otherwise 0.
std::int32_t unchanged_version(const std::string& program) {
    static Query query(
        "SELECT coalesce(max(version), 0) FROM loyalty.promotion_versions"
        " WHERE program = $1 AND NOT EXISTS (SELECT FROM loyalty.pending_changes WHERE program = $1)",
        {TEXTOID});
    return query.run({text_argument(program)}, true).integer(0, 1);
}

// Older versions may hold promotions that give nothing; a new one does not.
void refuse_empty(const Tree& tree) {
    for (const auto& promotion : tree.promotions) {
        const bool is_empty =
            std::ranges::all_of(promotion.conditions, [](const auto& c) { return c.benefits.empty(); });
        if (promotion.state != PromotionState::active || !is_empty) continue;
        throw Error(sqlstate::empty_promotion, "promotion \"" + promotion.id + "\" cannot be active",
                    "It has no condition with a benefit.",
                    "Give it a condition in loyalty.promotion_conditions, and that a benefit in"
                    " loyalty.promotion_benefits, or deactivate it.");
    }
}

// What a program promises never to exceed, in percent.
std::optional<Decimal> find_guarantee(const std::string& program) {
    static Query query("SELECT max_discount_guarantee::text FROM loyalty.programs WHERE external_id = $1", {TEXTOID});
    const auto text = query.run({text_argument(program)}, true).optional_text(0, 1);
    return text ? Decimal::parse(*text) : std::nullopt;
}

void keep_guarantee(const Program& program, const Decimal& guarantee) {
    const Bound bound = find_bound(program, Measure::discount, check_calculation);
    constexpr int scale_of_percent = 10;
    const Decimal most = Decimal::of(bound.at_most.value_or(0), scale_of_percent);
    if (most <= guarantee) return;
    throw Error(
        sqlstate::invalid_tree, "the tree could give more than program \"" + program.id + "\" guarantees not to exceed",
        "An order could get " + most.to_string() + " % off its goods; the guarantee is " + guarantee.to_string() +
            " %.",
        "SELECT * FROM loyalty_bound('" + program.id + "') tells by what; limit it, or change max_discount_guarantee.");
}

Tree read_draft(const std::string& program) {
    static Query query("SELECT tree::text FROM loyalty.promotion_drafts WHERE program = $1", {TEXTOID});
    return codec::read_tree(query.run({text_argument(program)}, true).text(0, 1));
}

void check_draft(const std::string& program) {
    const Tree tree = read_draft(program);
    refuse_empty(tree);
    const Program compiled = compile(tree, 0);
    if (const auto guarantee = find_guarantee(program)) keep_guarantee(compiled, *guarantee);
}

// Memberships are kept up by triggers; what got past these, in a restore for instance, must not make a wrong price.
void repair_memberships(const std::string& program) {
    static Query query(
        "SELECT loyalty.make_predicates($1), loyalty.judge_products($1, NULL::text[], NULL::text),"
        "       loyalty.forget_products($1, NULL::text[])",
        {TEXTOID});
    query.run({text_argument(program)}, true);
}

// What starts on activation starts at the first apply in which it is active.
void record_activations(const std::string& program) {
    static Query query(
        "INSERT INTO loyalty.promotion_activations (program, promotion, activated_at)"
        " SELECT program, external_id, loyalty.clock() FROM loyalty.promotions WHERE program = $1 AND state = 'active'"
        " ON CONFLICT DO NOTHING",
        {TEXTOID});
    query.run({text_argument(program)}, true);
}

std::int32_t freeze(const std::string& program) {
    static Query query(
        "INSERT INTO loyalty.promotion_versions (program, version, tree, definition, rules)"
        " SELECT $1, 1 + coalesce((SELECT max(version) FROM loyalty.promotion_versions WHERE program = $1), 0),"
        "        d.tree, d.definition, $2"
        "   FROM loyalty.promotion_drafts d WHERE d.program = $1"
        " RETURNING version",
        {TEXTOID, INT4OID});
    return query.run({text_argument(program), integer_argument(calculation_rules)}, true).integer(0, 1);
}

// What is to be frozen stands in the tables already.
std::int32_t apply(const std::string& program) {
    repair_memberships(program);
    record_activations(program);
    const std::int32_t version = unchanged_version(program);
    // What is in force already is checked again where something is promised of it.
    if (version == 0 || find_guarantee(program)) check_draft(program);
    return version != 0 ? version : freeze(program);
}

// The tables become the last version with the chosen promotions, and the draft again afterwards: nobody else sees it.
std::int32_t apply_some(const std::string& program, Datum promotions) {
    static Query draft(
        "SELECT jsonb_agg(jsonb_build_object('relation', relation, 'body', body)) FROM loyalty.draft_definitions"
        "    WHERE program = $1",
        {TEXTOID});
    static Query partial("SELECT loyalty.partial_definition($1, $2)", {TEXTOID, TEXTARRAYOID});
    static Query restore("SELECT FROM loyalty.restore_draft($1, $2)", {TEXTOID, JSONBOID});
    const Argument name = text_argument(program);
    const Rows saved = draft.run({name}, true), wanted = partial.run({name, {promotions, false}}, true);
    const auto make = [&](const Rows& definition) {
        const Reverting reverting;
        restore.run({name, {definition.datum(0, 1, JSONBOID), false}}, true);
    };
    make(wanted);
    const std::int32_t version = apply(program);
    make(saved);
    return version;
}

void check_scale(int scale, int least, int most, const char* what, const char* noun) {
    if (scale >= least && scale <= most) return;
    const std::string range = std::to_string(least) + " to " + std::to_string(most);
    throw Error(sqlstate::value_out_of_range, what, "It is " + std::to_string(scale) + ".",
                std::string(noun) + " has " + range + " decimal places.");
}

}  // namespace

}  // namespace loyalty::pg

extern "C" {

PG_FUNCTION_INFO_V1(loyalty_apply_some);
Datum loyalty_apply_some(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const std::string program = text_of(PG_GETARG_DATUM(0));
        const Datum promotions = PG_GETARG_DATUM(1);
        const AsOwner as_owner = AsOwner::writing();
        const Spi connection;
        check_schema_version();
        lock_draft(program);
        return Int32GetDatum(apply_some(program, promotions));
    });
}

PG_FUNCTION_INFO_V1(loyalty_apply);
Datum loyalty_apply(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const std::string program = text_of(PG_GETARG_DATUM(0));
        const AsOwner as_owner = AsOwner::writing();
        const Spi connection;
        check_schema_version();
        lock_draft(program);
        return Int32GetDatum(apply(program));
    });
}

PG_FUNCTION_INFO_V1(loyalty_calculation_rules);
Datum loyalty_calculation_rules(PG_FUNCTION_ARGS) { PG_RETURN_INT32(loyalty::calculation_rules); }

PG_FUNCTION_INFO_V1(loyalty_check_benefit);
Datum loyalty_check_benefit(PG_FUNCTION_ARGS) {
    using namespace loyalty;
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const PromotionKind kind =
            text_of(PG_GETARG_DATUM(0)) == "points" ? PromotionKind::points : PromotionKind::discount;
        const Level level = text_of(PG_GETARG_DATUM(1)) == "order" ? Level::order : Level::product;
        const std::string benefit = text_of(PG_GETARG_DATUM(2));
        const BenefitType& type = benefit_type(benefit, kind, level);
        Parameters parameters = codec::read_parameters(benefit, jsonb_text(PG_GETARG_DATUM(3)));
        const int currency_scale = PG_GETARG_INT32(4);
        const int price_scale = PG_NARGS() > 5 ? PG_GETARG_INT32(5) : currency_scale;
        check_scale(currency_scale, 0, max_currency_scale, "the currency's scale is out of range", "A currency");
        check_scale(price_scale, currency_scale, max_price_scale, "the scale of prices is out of range", "A price");
        type.read(parameters, {level, currency_scale, price_scale, nullptr, nullptr, nullptr, nullptr});
        return Datum{0};
    });
}

PG_FUNCTION_INFO_V1(loyalty_refused_under);
Datum loyalty_refused_under(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const std::string benefit = text_of(PG_GETARG_DATUM(0));
        std::vector<std::string> rules;
        for (const auto& type : loyalty::benefit_types()) {
            if (type.name != benefit) continue;
            if (!type.summable) rules = {"parallel", "summation"};
            if (!type.comparable) rules.emplace_back("max_benefit");
            if (!type.replaceable) rules.emplace_back("incompatibility");
        }
        return texts_argument(rules).value;
    });
}
}
