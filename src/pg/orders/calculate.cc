// loyalty_calculate, loyalty_explain and loyalty_test: an order document in, a calculation out; nothing is written.
#include "codec/context_reader.hpp"
#include "codec/listed_fields.hpp"
#include "codec/order_reader.hpp"
#include "codec/result_writer.hpp"
#include "core/explain/explain.hpp"

#include "pg/orders/buyer.hpp"
#include "pg/orders/catalogue.hpp"
#include "pg/orders/contact.hpp"
#include "pg/orders/document_values.hpp"
#include "pg/orders/given_codes.hpp"
#include "pg/orders/opportunities.hpp"
#include "pg/orders/quote.hpp"
#include "pg/orders/segments.hpp"
#include "pg/orders/time.hpp"
#include "pg/orders/usage.hpp"
#include "pg/server/clock.hpp"
#include "pg/server/memory.hpp"
#include "pg/server/owner.hpp"

namespace loyalty::pg {

static void check_size(Datum jsonb) {
    const std::size_t size = toast_raw_datum_size(jsonb);
    if (size <= max_document_bytes) return;
    throw Error(sqlstate::document_too_large, "invalid order: the document is too large",
                "It has " + std::to_string(size) + " bytes.",
                "An order document has at most " + std::to_string(max_document_bytes) + " bytes.");
}

std::string_view document_text(Datum jsonb) {
    check_size(jsonb);
    return jsonb_text(jsonb);
}

// The promo codes of the member that a test makes up.
static std::vector<std::string> attached_codes(const TestContext* test) {
    return test && test->member ? test->member->promo_codes : std::vector<std::string>{};
}

Quote make_quote(OrderDocument document, const Edition& edition, Oid caller, const QuoteOptions& wanted) {
    const TestContext* test = wanted.test;
    const CalculationMemory memory;
    Quote quote;
    quote.document = std::move(document);
    const AsOwner as_owner = AsOwner::going_on();
    const Spi connection;
    quote.current = find_program(quote.document.program, edition);
    const Market& market = quote.current.live->market;
    if (!test) check_active(market);
    check_references(quote.document, quote.program(), market);
    codec::fill_listed_fields(quote.document, market.fields,
                              wanted.made_up ? codec::Origin::made_up : codec::Origin::given);
    look_up_member(quote.document, market.program, caller);
    const std::string& time_zone = quote.program().time_zone;
    const TimestampTz at = quote.document.time ? read_order_time(*quote.document.time, time_zone) : now();
    if (quote.document.time) {
        quote.at = at;
        quote.time = show_time(at, time_zone);
        refuse_year_of_two_digits(at, *quote.document.time);
    }

    Buyer buyer = test && test->member ? make_up_buyer(quote.current, *test->member, now())
                                       : find_buyer(quote.current, quote.document.member, now(), caller);
    Catalogue catalogue = find_products(quote.current, quote.document);
    quote.order =
        resolve(quote.document, quote.program(), catalogue.products, std::move(catalogue.segments), std::move(buyer));
    quote.order.time = local_time(at, time_zone);
    resolve_place(quote.order, quote.document, market);
    find_promo_codes(quote.order, quote.document, quote.program(), attached_codes(test), wanted.binding);
    find_order_segments(quote.order, quote.document, *quote.current.version, catalogue.documents);
    find_partner_products(quote.order, quote.program(), quote.order.time.day());
    read_values(quote.order, quote.document, quote.current, quote.time, caller);
    find_allowances(quote.order, quote.program(), wanted.binding);

    CalculationMemory::asked(quote.order.lines.size(), quote.program().promotions.size());
    const std::string status = quote.document.status.value_or("new");
    CalculationOptions options;
    options.traces_refusals = wanted.explained;
    options.check_interrupts = check_calculation;
    options.is_credited = [&](std::string_view credit_on) { return market.is_credited(status, credit_on); };
    quote.calculation = calculate(quote.program(), quote.order, options);
    return quote;
}

Datum quote_result(const Quote& quote, Detail detail) {
    JsonbWriter result;
    codec::write_result(result, quote.program(), quote.order, quote.calculation, {quote.document, quote.time}, detail);
    return result.take();
}

void write_quote_members(codec::JsonWriter& out, const Quote& quote, Detail detail) {
    codec::write_result_members(out, quote.program(), quote.order, quote.calculation, {quote.document, quote.time},
                                detail);
}

namespace {

// The edition that the second argument names by its number, if there is one.
Edition edition_of(FunctionCallInfo call) {
    return call->nargs < 2 ? Edition::in_force() : Edition::number(DatumGetInt32(call->args[1].value));
}

Quote make_quote(FunctionCallInfo call, bool explained) {
    return make_quote(codec::read_order(document_text(call->args[0].value)), edition_of(call), GetUserId(),
                      {.explained = explained});
}

// How many opportunities a quote is to name besides: the key "opportunities", which is no part of the order, and is
// taken out of it.
std::optional<int> take_opportunities(Datum& order) {
    constexpr const char* key = "opportunities";
    const Datum given = order;
    struct Asked {
        bool any;
        Datum number;  // 0: it is none
    };
    const Asked asked = postgres([=]() -> Asked {
        Jsonb* document = DatumGetJsonbP(given);
        if (!JB_ROOT_IS_OBJECT(document)) return {false, 0};
        JsonbValue name;
        name.type = jbvString;
        name.val.string.val = const_cast<char*>(key);
        name.val.string.len = static_cast<int>(strlen(key));
        const JsonbValue* found = findJsonbValueFromContainer(&document->root, JB_FOBJECT, &name);
        if (!found) return {false, 0};
        return {true, found->type == jbvNumeric ? NumericGetDatum(found->val.numeric) : Datum{0}};
    });
    if (!asked.any) return std::nullopt;
    const auto number =
        asked.number
            ? Decimal::parse(postgres([=] { return DatumGetCString(DirectFunctionCall1(numeric_out, asked.number)); }))
            : std::nullopt;
    const auto most = number ? number->units(0) : std::nullopt;
    if (!most) {
        throw Error(sqlstate::wrong_type, "invalid order: a value has the wrong type", "At $.opportunities.",
                    "Expected is a whole number.");
    }
    order = postgres([=] { return DirectFunctionCall2(jsonb_delete, given, PointerGetDatum(cstring_to_text(key))); });
    return checked_most(*most);
}

// Nobody reads so much, and building it takes longer than the calculation: a smaller answer is asked for instead.
void require_told(const Quote& quote) {
    constexpr std::size_t most_told = 200'000;
    const std::size_t operations = quote.calculation.operations.size();
    if (quote.document.detail != Detail::full || operations <= most_told) return;
    throw Error(
        sqlstate::calculation_too_large, "the full answer is too large",
        "It would have " + std::to_string(operations) + " operations; at most " + std::to_string(most_told) +
            " are told.",
        "Ask for \"detail\": \"lines\", which tells of each line what it comes to, or \"totals\"; or split the order.");
}

Datum calculate_order(FunctionCallInfo call) {
    Datum order = call->args[0].value;
    check_size(order);
    const auto most = take_opportunities(order);
    const Edition edition = edition_of(call);
    const Quote quote = make_quote(codec::read_order(document_text(order)), edition, GetUserId());
    require_told(quote);
    const Datum result = quote_result(quote, quote.document.detail);
    if (!most) return result;
    const Datum besides = opportunities_document(quote, find_opportunities(quote, edition, GetUserId(), *most));
    return postgres([=] { return DirectFunctionCall2(jsonb_concat, result, besides); });
}

[[noreturn]] void fail_contradiction(const char* key, const std::string& what, const std::string& hint) {
    throw Error(sqlstate::contradictory_test, "invalid test: " + what,
                std::string("At $.") + key + " of the order and in the context.", hint);
}

// What an order and the context say together must make sense.
void check_test(const OrderDocument& order, const TestContext& context) {
    if ((order.member || order.contact) && context.member) {
        fail_contradiction("member", "the member is both named and made up",
                           "Leave \"member\" out of the order, or balances, tiers, segments and promo codes out of the "
                           "context.");
    }
    if (order.total && context.auto_calculate) {
        fail_contradiction("total", "the total is both given and calculated",
                           "Leave \"total\" out of the order, or set \"auto_calculate\" to false in the context.");
    }
    if (!order.total && !context.auto_calculate) {
        fail_contradiction("total", "the total is neither given nor calculated",
                           "Give the order a \"total\", or leave \"auto_calculate\" out of the context.");
    }
}

std::vector<Quote> make_test_quotes(std::vector<OrderDocument> orders, const TestContext& context) {
    std::vector<Quote> quotes;
    quotes.reserve(orders.size());
    for (auto& order : orders) {
        try {
            check_test(order, context);
            quotes.push_back(
                make_quote(std::move(order), Edition::draft(context.with_drafts), GetUserId(), {.test = &context}));
            if (quotes.back().program().id != quotes.front().program().id) {
                throw Error(sqlstate::contradictory_test, "invalid test: its orders are of different programs",
                            "One is of \"" + quotes.back().program().id + "\".", "Test them one by one.");
            }
        } catch (const Error& error) {
            if (orders.size() == 1) throw;
            throw codec::in_order(error, static_cast<std::size_t>(&order - orders.data()));
        }
    }
    return quotes;
}

TestContext given_context(FunctionCallInfo call) { return codec::read_context(document_text(call->args[3].value)); }

Quote explain_in_force(FunctionCallInfo call) {
    const TestContext context = given_context(call);
    if (context.member || !context.auto_calculate || context.with_drafts) {
        throw Error(sqlstate::contradictory_test, "a context is for the draft only", {},
                    "Explain the draft (draft => true), or leave the context out.");
    }
    return make_quote(codec::read_order(document_text(call->args[0].value)), Edition::in_force(), GetUserId(),
                      {.explained = true});
}

// As a test of the order calculates it.
Quote explain_draft(FunctionCallInfo call) {
    const TestContext context = given_context(call);
    auto orders = codec::read_test_orders(document_text(call->args[0].value));
    if (orders.size() != 1) {
        throw Error(sqlstate::contradictory_test, "one order is explained at a time",
                    "There are " + std::to_string(orders.size()) + ".", "Explain them one by one.");
    }
    check_test(orders.front(), context);
    return make_quote(std::move(orders.front()), Edition::draft(context.with_drafts), GetUserId(),
                      {.test = &context, .explained = true});
}

std::vector<std::string> explain_quote(const Quote& quote, bool everything) {
    return explain(quote.program(), quote.order, quote.calculation, everything, check_calculation);
}

// Puts the lines into the result of a set-returning function.
void return_lines(FunctionCallInfo fcinfo, const std::vector<std::string>& lines) {
    postgres([=] { InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC); });
    auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
    for (const auto& line : lines) {
        check_interrupts();
        const char* data = line.data();
        const int size = static_cast<int>(line.size());
        postgres([=] {
            char* text = pg_any_to_server(data, size, PG_UTF8);
            Datum value =
                PointerGetDatum(cstring_to_text_with_len(text, text == data ? size : static_cast<int>(strlen(text))));
            bool is_null = false;
            tuplestore_putvalues(result->setResult, result->setDesc, &value, &is_null);
        });
    }
}

}  // namespace

}  // namespace loyalty::pg

extern "C" {

PG_FUNCTION_INFO_V1(loyalty_calculate);
Datum loyalty_calculate(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const CalculationMemory memory;
        return calculate_order(fcinfo);
    });
}

PG_FUNCTION_INFO_V1(loyalty_explain);
Datum loyalty_explain(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const CalculationMemory memory;
        const bool everything = PG_GETARG_BOOL(2);
        const Quote quote = PG_GETARG_BOOL(1) ? explain_draft(fcinfo) : explain_in_force(fcinfo);
        return_lines(fcinfo, explain_quote(quote, everything));
        return Datum{0};
    });
}

PG_FUNCTION_INFO_V1(loyalty_explain_version);
Datum loyalty_explain_version(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const CalculationMemory memory;
        const Quote quote = make_quote(fcinfo, true);
        return_lines(fcinfo, explain_quote(quote, false));
        return Datum{0};
    });
}

PG_FUNCTION_INFO_V1(loyalty_test);
Datum loyalty_test(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const CalculationMemory memory;
        const loyalty::TestContext context = loyalty::codec::read_context(document_text(PG_GETARG_DATUM(1)));
        const auto quotes =
            make_test_quotes(loyalty::codec::read_test_orders(document_text(PG_GETARG_DATUM(0))), context);
        std::vector<loyalty::codec::TestedOrder> orders;
        for (const auto& quote : quotes)
            orders.push_back({quote.program(), quote.order, quote.calculation, {quote.document, quote.time}});
        JsonbWriter result;
        loyalty::codec::write_test(result, orders);
        return result.take();
    });
}
}
