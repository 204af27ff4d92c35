// loyalty_calculate and loyalty_explain: an order document in, a calculation out; nothing is written.
#include "codec/order_reader.hpp"
#include "codec/result_writer.hpp"
#include "core/explain.hpp"

#include "pg/buyer.hpp"
#include "pg/catalogue.hpp"
#include "pg/clock.hpp"
#include "pg/order_time.hpp"
#include "pg/owner.hpp"
#include "pg/quote.hpp"

namespace loyalty::pg {

OrderDocument read_document(Datum jsonb) {
    const std::size_t size = toast_raw_datum_size(jsonb);
    if (size > max_document_bytes) {
        throw Error(sqlstate::document_too_large, "invalid order: the document is too large",
                    "It has " + std::to_string(size) + " bytes.",
                    "An order document has at most " + std::to_string(max_document_bytes) + " bytes.");
    }
    return codec::read_order(jsonb_text(jsonb));
}

Quote make_quote(OrderDocument document, Oid caller) {
    Quote quote;
    quote.document = std::move(document);
    const AsUser as_owner(schema_owner());
    const Spi connection;
    quote.current = current_program(quote.document.program);
    const Market& market = quote.current.live->market;
    check_references(quote.document, quote.program(), market);
    const std::string& time_zone = quote.program().time_zone;
    if (quote.document.time) {
        quote.at = read_order_time(*quote.document.time, time_zone);
        quote.time = show_time(*quote.at, time_zone);
    }

    Buyer buyer = find_buyer(quote.current, quote.document.member, now(), caller);
    Catalogue catalogue = find_products(quote.current, quote.document);
    quote.order =
        resolve(quote.document, quote.program(), catalogue.products, std::move(catalogue.segments), std::move(buyer));

    const std::string status = quote.document.status.value_or("new");
    CalculationOptions options;
    options.check_interrupts = check_interrupts;
    options.is_credited = [&](std::string_view credit_on) { return market.is_credited(status, credit_on); };
    quote.calculation = calculate(quote.program(), quote.order, options);
    return quote;
}

Datum quote_result(const Quote& quote) {
    JsonbWriter result;
    codec::write_result(result, quote.program(), quote.order, quote.calculation, {quote.document, quote.time});
    return result.take();
}

namespace {

// Puts the lines into the result of a set-returning function.
void return_lines(FunctionCallInfo fcinfo, const std::vector<std::string>& lines) {
    postgres([=] { InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC); });
    auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
    for (const auto& line : lines) {
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
        return quote_result(make_quote(read_document(PG_GETARG_DATUM(0)), GetUserId()));
    });
}

PG_FUNCTION_INFO_V1(loyalty_explain);
Datum loyalty_explain(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const Quote quote = make_quote(read_document(PG_GETARG_DATUM(0)), GetUserId());
        return_lines(fcinfo, loyalty::explain(quote.program(), quote.order, quote.calculation));
        return Datum{0};
    });
}
}
