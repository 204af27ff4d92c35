// What a program's history leaves behind when its orders are placed with another tree: balances, what buyers have
// ordered, what limits have left, and promo codes. In memory; the ledger's accounts, the limits and the returns are
// those of the core.
#pragma once

#include "core/calculate/calculate.hpp"
#include "core/calculate/returns.hpp"
#include "core/ledger/account.hpp"
#include "core/tiers/cyclic.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "pg/orders/points.hpp"
#include "pg/promotions/cache.hpp"
#include "pg/reports/history.hpp"
#include "pg/reports/replay.hpp"
#include "pg/tiers/tiers.hpp"

namespace loyalty::pg {

// An account of the ledger that goes on from booking to booking.
class CarriedAccount {
public:
    ledger::Account account;
    tiers::Standing standing;  // in the tier group of its point type, if it has one

    // With what a member of the group holds without any points.
    explicit CarriedAccount(const TierGroup* group = nullptr) : group_(group) { judge(0); }

    // Books what is due.
    void begin(TimestampTz at);
    // These begin with what is due. Numbers are those of the entries.
    std::int64_t credit(ledger::Units value, TimestampTz created_at, TimestampTz active_from, TimestampTz expires_at,
                        TimestampTz at, ledger::Type type = ledger::Type::accrual);
    ledger::Redemption spend(ledger::Units value, TimestampTz created_at, TimestampTz at);
    void refund(ledger::Redemption& redemption, ledger::Units value, TimestampTz at);
    // Of an accrual, or of what there is.
    void take_back(std::optional<std::int64_t> accrual, ledger::Units value, bool debt_allowed, TimestampTz at);
    void write_off(ledger::Units value, TimestampTz at);

private:
    void bring_back(std::int64_t lot);
    void judge(ledger::Units change);
    void end();

    const TierGroup* group_;
    ledger::Units lifetime_ = 0;                    // points earned in all
    std::map<std::int64_t, ledger::Lot> aside_;     // lots that nothing is left in
    std::map<std::int64_t, ledger::Units> lapsed_;  // of lots, expired or reset, and taken into no claim yet
};

struct CarriedLine {
    std::string id;
    Quantity quantity, returned, taken;  // taken: with the return that is being followed
    Money total;
    std::string status;

    ReturnedUnits units() const { return {quantity, returned, returned + taken}; }
};

// What an order may still bring about: it waits for a status, or something of it comes back.
struct CarriedOrder {
    struct Payment {
        Index point_type;
        std::uint32_t line;  // no_line: the shipping
        ledger::Units points;
    };
    struct Accrual {
        Earning terms;
        ledger::Units gone = 0;           // dropped or taken back
        std::optional<std::int64_t> seq;  // of its credit; none while it waits
    };
    TimestampTz at = 0, time = 0;
    std::string status;
    std::vector<CarriedLine> lines;
    Money total, shipping, given_back;
    std::vector<Payment> payments;
    std::map<Index, ledger::Redemption> redemptions;  // by point type
    std::vector<Accrual> accruals;
    std::map<Index, UsageCounters> used;        // of limits, by promotion …
    std::vector<Operation> operations;          // … and what that came of
    std::map<std::string, std::int64_t> codes;  // by how much more often than then it used each promo code
    bool comes_back = false;                    // any of it, later
    bool shipping_is_back = false;

    bool waits() const {
        return std::ranges::any_of(
            accruals, [](const auto& accrual) { return !accrual.seq && accrual.gone < accrual.terms.points.units; });
    }
    bool any_left() const {
        return std::ranges::any_of(lines, [](const auto& line) { return line.returned + line.taken < line.quantity; });
    }
};

struct CarriedBuyer {
    std::map<Index, CarriedAccount> accounts;  // by point type
    // Rows of the history and what became of them here, by point type and number.
    std::map<std::pair<Index, std::int64_t>, std::int64_t> credits;
    std::map<std::pair<Index, std::int64_t>, ledger::Redemption> redemptions;
    std::int64_t orders_count = 0;
    Money orders_sum;
    std::multiset<TimestampTz> order_times;
    std::map<Index, std::vector<TimestampTz>> uses;        // by promotion
    std::unordered_map<std::string, CarriedOrder> orders;  // by external id
    std::string lost;  // why it is not known any more what the buyer has; empty: it is
};

class Carried {
public:
    // From the beginning of the history. Error LY613 where there or in the tree is what cannot be carried.
    Carried(Replay& replay, TimestampTz from);

    // Fills in what the order finds. Throws Unreplayable where that is not known.
    void fill(const Step& step, ReplayedOrder& replayed);
    // What it leaves behind.
    void place(const Step& step, const ReplayedOrder& replayed, const Calculation& calculation);
    // It could not be replayed: what it would have left behind is not known.
    void lose(const Step& step, const std::string& why);

    // What happened otherwise.
    void follow(const Step& step);

    // Bookings that found too little.
    std::int64_t refused() const { return refused_; }

private:
    const Program& program() const { return replay_.program(); }
    const Market& market() const { return replay_.current().live->market; }
    void refuse_what_cannot_be() const;
    CarriedAccount& account(CarriedBuyer& buyer, Index point_type) const;

    // Before an order
    void fill_balances(CarriedBuyer& buyer, Order& order, TimestampTz at);
    void fill_tiers(const std::string& member, CarriedBuyer& buyer, Order& order) const;
    void fill_codes(const Step& step, const Order& order) const;
    void fill_allowances(const CarriedBuyer& buyer, Order& order, TimestampTz at) const;
    void require_known(const CarriedBuyer& buyer, Index promotion, bool has_profile) const;
    std::int64_t uses_of(const CarriedBuyer& buyer, Index promotion, TimestampTz at) const;
    bool is_usable(Index point_type, TimestampTz at) const;

    // After it
    void book(CarriedBuyer& buyer, CarriedOrder& order, const Calculation& calculation);
    void credit_due(CarriedBuyer& buyer, CarriedOrder& order, TimestampTz at);
    void count(CarriedBuyer& buyer, CarriedOrder& order, const Step& step, const ReplayedOrder& replayed,
               const Calculation& calculation);

    // What becomes of it
    void follow_booking(const Step& step);
    bool book_otherwise(CarriedBuyer& buyer, Index type, const Step& step);
    bool undo(CarriedBuyer& buyer, Index type, const Step& step, ledger::Units value);
    void follow_status(const Step& step);
    void follow_return(const Step& step);
    void drop_of_removed(CarriedBuyer& buyer, CarriedOrder& order, const Step& step);
    void give_back_money(CarriedBuyer& buyer, CarriedOrder& order, const Step& step);
    void give_back_points(CarriedBuyer& buyer, CarriedOrder& order, const Step& step);
    void give_back_uses(CarriedBuyer& buyer, CarriedOrder& order, const Step& step);
    void shift_codes(const std::string& buyer, const CarriedOrder& order, std::int64_t by);
    static void lose(CarriedBuyer& buyer, const std::string& why);
    void lose_limits(const std::string& why);

    Replay& replay_;
    const TimestampTz from_;
    std::unordered_map<std::string, CarriedBuyer> buyers_;
    std::vector<TierGroup> groups_;
    std::set<std::string> given_tiers_;  // members who were given a tier by hand
    std::vector<UsageCounters> used_;    // by promotion
    // How much more often than then each promo code was used by a buyer, and by all of them ("").
    std::map<std::pair<std::string, std::string>, std::int64_t> codes_;
    std::string limits_lost_;
    std::optional<TimestampTz> oldest_event_;
    std::int64_t refused_ = 0;
};

}  // namespace loyalty::pg
