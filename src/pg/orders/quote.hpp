// A quote: an order document calculated by the version in force, with all that it was made from. Quotes, explanations
// and placed orders are all made of one, so they cannot differ.
#pragma once

#include "core/calculate/calculate.hpp"
#include "core/document/document.hpp"

#include <optional>
#include <string>
#include <string_view>

#include "pg/promotions/editions.hpp"
#include "pg/server/jsonb.hpp"

namespace loyalty::pg {

struct Quote {
    OrderDocument document;
    std::optional<TimestampTz> at;  // the order's own time, if it has one, …
    std::string time;               // … and how it is shown
    CurrentProgram current;
    Order order;
    Calculation calculation;

    const Program& program() const { return current.version->program; }
};

// The text of an order document. Error LY108 where it is too large.
std::string_view document_text(Datum jsonb);

struct QuoteOptions {
    const TestContext* test = nullptr;  // for a test: also in a program that is not active
    bool made_up = false;               // by the machine: required fields may be missing
    bool explained = false;             // with the reasons why promotions do not apply
    bool binding = false;               // for placing: the promo codes and counters that it depends on are locked
};

// Works under the active snapshot as the schema's owner, and reads profiles as `caller`.
Quote make_quote(OrderDocument document, const Edition& edition, Oid caller, const QuoteOptions& wanted = {});

// The quote as loyalty_calculate() answers it: jsonb in the current memory context.
Datum quote_result(const Quote& quote, Detail detail = Detail::full);
// The same into an object that is being written.
void write_quote_members(codec::JsonWriter& out, const Quote& quote, Detail detail);

}  // namespace loyalty::pg
