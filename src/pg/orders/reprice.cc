// loyalty_reprice_order: a placed order calculated again from what was stored with it. The proof that an old price can
// be explained, whatever has become of promotions, products and balances since.
#include "codec/order_reader.hpp"
#include "codec/resolved_order.hpp"
#include "codec/result_writer.hpp"
#include "core/program/rules.hpp"

#include <algorithm>

#include "pg/orders/quote.hpp"
#include "pg/orders/store.hpp"
#include "pg/orders/time.hpp"
#include "pg/server/arguments.hpp"
#include "pg/server/in_turn.hpp"
#include "pg/server/owner.hpp"
#include "pg/server/memory.hpp"

namespace loyalty::pg {

namespace {

Datum reprice(const std::string& program_id, const std::string& external_id) {
    static Query query(
        "SELECT coalesce(o.version, 0), o.request, o.resolved,"
        "       CASE WHEN v.rules <> $3 THEN o.result || '{\"rules_changed\": true}' END"
        "  FROM loyalty.order_ids i"
        "  JOIN loyalty.orders o ON o.buyer = i.buyer AND o.program = i.program AND o.external_id = i.external_id"
        "  LEFT JOIN loyalty.promotion_versions v ON v.program = o.program AND v.version = o.version"
        " WHERE i.external_id = $1 AND i.program = $2",
        {TEXTOID, TEXTOID, INT4OID});
    const Rows rows = query.run(
        {text_argument(external_id), text_argument(program_id), integer_argument(calculation_rules)});
    if (rows.size() == 0) fail_unknown_order(program_id, external_id);
    require_visible_buyer(program_id, external_id);
    ColumnsInTurn columns(rows);
    const std::int32_t version = columns.integer();
    const auto request = columns.optional_datum(JSONBOID);
    const auto input = columns.optional_datum(JSONBOID);
    const auto under_other_rules = columns.optional_datum(JSONBOID);
    columns.end();
    if (!request || !input) {
        throw Error(sqlstate::cannot_be_repriced, "order \"" + external_id + "\" cannot be priced again",
                    "It was imported, or its content was erased.");
    }
    // Under other rules it would become another order.
    if (under_other_rules) return *under_other_rules;
    const CurrentProgram current = find_program(program_id, Edition::number(version));
    const Program& program = current.version->program;
    const OrderDocument document = codec::read_order(jsonb_text(*request));
    const codec::ResolvedOrder resolved = codec::read_resolved_order(jsonb_text(*input), program);
    CalculationOptions options;
    options.check_interrupts = check_calculation;
    options.is_credited = [&](std::string_view credit_on) {
        return std::find(resolved.credited.begin(), resolved.credited.end(), credit_on) != resolved.credited.end();
    };
    std::string time;
    if (document.time) time = show_time(read_order_time(*document.time, program.time_zone), program.time_zone);
    // What is written is kept in place until it is taken.
    const Calculation calculation = calculate(program, resolved.order, options);
    JsonbWriter result;
    codec::write_result(result, program, resolved.order, calculation, {document, time});
    return result.take();
}

}  // namespace

}  // namespace loyalty::pg

extern "C" {
PG_FUNCTION_INFO_V1(loyalty_reprice_order);
Datum loyalty_reprice_order(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const CalculationMemory memory;
        const MemoryContext into = CurrentMemoryContext;
        const Arguments given(fcinfo);
        const AsOwner as_owner = AsOwner::writing();
        const Spi connection;
        return copy_out(reprice(given.required(0, "program"), given.required(1, "external_id")), into);
    });
}
}
