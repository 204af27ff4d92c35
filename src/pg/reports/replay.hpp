// A stored order replayed with another version of the promotion tree, or the draft: from the input that was stored with
// it, so that nothing but the tree differs. What the other tree asks and the stored input does not know, such as a
// segment that was not in use then, is judged by what the catalogue and the profiles say today.
#pragma once

#include "core/calculate/calculate.hpp"
#include "core/document/document.hpp"
#include "core/error.hpp"
#include "core/order/transfer.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "pg/promotions/editions.hpp"
#include "pg/server/jsonb.hpp"
#include "pg/server/values.hpp"

namespace loyalty::pg {

// An error of one order, which the others have nothing to do with.
struct Unreplayable {
    std::string text;
};

// What an error says, in one line.
std::string shown(const Error& error);

// Whether an error is of the database rather than of one order.
bool concerns_database(const Error& error);

// What stands in loyalty.orders. An imported order has no stored input; an erased one has no content at all.
struct StoredOrder {
    Datum request;
    std::optional<Datum> resolved;
    std::int32_t version = 0;

    // Asked for only where the stored input does not do.
    std::string_view content() const { return jsonb_text(request); }
};

// An order as the tree takes it, and the statuses that it had reached when it was placed.
struct ReplayedOrder {
    Order order;
    std::vector<std::string> credited;  // of stored input …
    std::optional<std::string> status;  // … or else the status
};

// Where what the buyer has ordered before comes from, if the stored input does not tell.
enum class OrdersBeforeFrom : std::uint8_t { orders, caller };

// The trees of one statement in one process, each compiled once.
class Replay {
public:
    // Errors: LY201, LY301, LY302, LY320.
    Replay(const std::string& program, std::optional<std::int32_t> version,
           OrdersBeforeFrom orders_before = OrdersBeforeFrom::orders);

    // Throws Unreplayable, or an Error of the order, outside of any box.
    ReplayedOrder resolve(const StoredOrder& stored, Oid caller);
    Calculation calculate(const ReplayedOrder& replayed) const;

    // What was ordered before is filled in: the order's segments that look at it are judged.
    void judge_orders_before(Order& order, const StoredOrder& stored) const;
    // Whether any of these looks at the order's lines, too.
    bool judges_orders_before_by_lines() const;
    // Whether the tree, or one that an order was placed with, issues promo codes of the pool.
    bool issues_from(const std::string& pool) const;

    const CurrentProgram& current() const { return current_; }
    const Program& program() const { return current_.version->program; }

private:
    // A version that orders were placed with.
    struct Source {
        CurrentProgram current;
        Transfer transfer;
    };

    const Source& source_of(std::int32_t version);
    CurrentProgram find_source(std::int32_t version) const;
    OrderDocument filled(OrderDocument document) const;
    ReplayedOrder resolve_imported(const OrderDocument& document, Oid caller) const;
    void judge_unknown(Order& order, OrderDocument document, const Unknown& unknown, Oid caller) const;
    void judge_products(Order& order, const OrderDocument& document, const Unknown& unknown) const;
    void add_values(Order& order, const OrderDocument& document, const Unknown& unknown, Oid caller) const;
    std::string shown_time(const OrderDocument& document) const;
    void tell() const;

    const CurrentProgram current_;
    const OrdersBeforeFrom orders_before_;
    std::map<std::int32_t, Source> sources_;
    std::int64_t replayed_ = 0;
};

// What an order would have come to beside what it came to: total, points earned then and now, promotions gained and
// lost, and the error that there is instead.
inline constexpr int comparison_width = 6;
using Comparison = std::array<Argument, comparison_width>;
Comparison compare(const Program& program, const Calculation& calculation, std::optional<Datum> result_before);
Comparison failed_comparison(std::optional<Datum> result_before, const std::string& error);

}  // namespace loyalty::pg
