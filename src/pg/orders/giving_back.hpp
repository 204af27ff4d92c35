// One giving back, from what is asked for to what is booked, stored and answered. Its course and the units are in
// returns.cc, the points in return_points.cc, what is stored of it in return_store.cc, and the answer in
// return_answer.cc.
#pragma once

#include "core/calculate/returns.hpp"

#include <map>
#include <vector>

#include "pg/orders/points.hpp"
#include "pg/orders/returns.hpp"
#include "pg/server/jsonb.hpp"

namespace loyalty::pg {

// A line of the order, and how much of it comes back now.
struct SoldLine {
    std::string id;
    Quantity quantity, returned;
    Money total;
    Quantity taken;
    std::string gift;  // the product, if a promotion gave it

    Quantity left() const { return quantity - returned; }
    ReturnedUnits units() const { return {quantity, returned, returned + taken}; }
};

// What comes back of the points of one type.
struct ReturnedPoints {
    int scale = 0;
    std::int64_t refunded = 0, forfeited = 0, taken_back = 0, dropped = 0;
    std::int64_t owed = 0, debt = 0, expired_at_once = 0;
};

// Amounts to add to rows of order_points or order_accruals, by number.
struct Additions {
    std::vector<std::int64_t> numbers, first, second;
    int scale = 0;

    void add(std::int64_t number, std::int64_t to_first, std::int64_t to_second) {
        if (to_first == 0 && to_second == 0) return;
        numbers.push_back(number);
        first.push_back(to_first);
        second.push_back(to_second);
    }
};

class GivingBack {
public:
    GivingBack(const LockedOrder& order, const Return& given) : order_(order), given_(given), key_(order.key) {}

    // The answer.
    Datum run();

private:
    // A row of the ledger that is undone.
    struct Claimed {
        std::string point_type;
        std::int64_t seq;

        friend auto operator<=>(const Claimed&, const Claimed&) = default;
    };

    // Which units
    void read_lines();
    SoldLine& find(const std::string& id);
    void choose_units();
    [[noreturn]] void fail_more_than_left(const SoldLine& line, Quantity wanted) const;
    bool gives_shipping() const;
    void check_not_empty() const;
    // Gifts are no units of the order.
    bool any_left() const;
    // Nothing where no unit of the line comes back.
    const SoldLine* taken_line(const std::string& id) const;
    Money money_of(const SoldLine& line) const { return {part_of(line.total.units, line.units())}; }

    // Their points
    void read_points();
    void read_accruals();
    ReturnedPoints& points_of(const std::string& type, int scale);
    void book_refunds();
    void book_reversals();
    void add_to(Query& query, const Additions& additions);
    Booking undo(const char* type, const Claimed& original, std::int64_t value) const;

    // Storing
    void store_lines();
    // Gifts of whose lines no unit is left, or of whose sets there are fewer: units that were in no set came back
    // first. What is handed back with the return itself is not asked for again; a cancellation names all that was left.
    void find_gifts_to_hand_back();
    void store_return(Datum answer) const;

    // The answer
    const char* kind() const;
    Datum write_answer() const;
    void write_line(JsonbWriter& out, const SoldLine& line) const;
    void write_gifts(JsonbWriter& out) const;

    const LockedOrder& order_;
    const Return& given_;
    const OrderArguments key_;
    std::vector<SoldLine> lines_;                                    // by id
    std::vector<std::pair<const SoldLine*, Quantity>> handed_back_;  // gifts to be handed back
    bool shipping_ = false;
    Money money_;
    std::vector<std::string> taken_ids_;
    std::vector<std::int64_t> taken_quantities_, taken_money_;
    std::map<std::string, ReturnedPoints> points_;  // by point type, like the next two
    std::map<std::string, Additions> paid_, earned_;
    std::map<Claimed, std::int64_t> refunds_, reversals_;
};

}  // namespace loyalty::pg
