#pragma once

#include "codec/json_writer.hpp"
#include "core/calculate/calculate.hpp"
#include "core/document/document.hpp"

#include <span>
#include <string>

namespace loyalty::codec {

// What a result repeats of its order, beside the figures.
struct ResultHeader {
    const OrderDocument& document;
    const std::string& time;  // the order's time in the program's time zone, empty if the order has none
};

// Writes a calculation as a JSON object: every figure a number in its own scale; lines in the document's sequence. The
// shape is described in the reference under loyalty_calculate.
void write_result(JsonWriter& out, const Program& program, const Order& order, const Calculation& calculation,
                  const ResultHeader& header, Detail detail = Detail::full);
// The same into an object that was begun and is not ended here, for an answer that says more.
void write_result_members(JsonWriter& out, const Program& program, const Order& order, const Calculation& calculation,
                          const ResultHeader& header, Detail detail);

// An order of a test of the draft.
struct TestedOrder {
    const Program& program;
    const Order& order;
    const Calculation& calculation;
    ResultHeader header;
};

// Writes what a test of some orders of one program came to: the sums, each order's changes of points and its
// operations, and the orders' own results.
void write_test(JsonWriter& out, std::span<const TestedOrder> orders);

}  // namespace loyalty::codec
