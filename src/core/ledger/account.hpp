// An account of the ledger while one operation is booked: what it holds, lot by lot, and the rows that the operation
// adds.
//
// Figures are whole numbers of the point type's smallest unit, moments are microseconds on an axis whose end means
// "never". At any time
//     total = sum of what is left in the lots - debt.
// An operation first calls expire(), which books what is due; then it calls one verb. Entries are numbered as they are
// added; the account's changed lots and new entries are what has to be written. Nothing here asks for a clock or
// refuses an overdraft: callers compare active() first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace loyalty::ledger {

using Units = std::int64_t;
using Moment = std::int64_t;

inline constexpr Units max_units = 999'999'999'999'999'999;
inline constexpr Moment never = INT64_MAX;

struct Lot {
    std::int64_t seq = 0;
    Units amount = 0;  // of a new lot; of others nothing depends on it
    Units remaining = 0;
    Units held = 0;
    Moment active_from = 0;
    Moment expires_at = never;
    bool is_new = false;
    bool changed = false;

    // What is not reserved by a hold.
    Units available() const { return remaining - held; }
};

// Points put into a lot (above 0) or taken from it (below 0).
struct Movement {
    std::int64_t lot = 0;
    Units value = 0;
};

enum class Type : std::uint8_t { accrual, initial, redemption, expiration, refund, reversal, reset };

enum class Source : std::uint8_t { given, settlement };

struct Entry {
    Type type = Type::accrual;
    Source source = Source::given;
    std::int64_t seq = 0;
    Units value = 0;
    Units before = 0;
    Units after = 0;
    Units debt = 0;
    Units owed = 0;
    Units lapsed = 0;
    Moment created_at = 0;
    std::optional<std::int64_t> undoes;
    std::optional<std::int64_t> lot;
    std::vector<Movement> movements;
};

// What a reversal takes back of an accrual.
struct Claim {
    Units amount = 0;
    std::optional<std::int64_t> accrual;  // whose own lot comes first
    Units lapsed = 0;  // of that lot, had expired or been reset before, and was not deducted from a claim yet
    bool debt_allowed = false;
};

// A redemption of which something is given back: its lots in the order of consumption, with what was taken from each.
struct Redemption {
    std::int64_t seq = 0;
    std::vector<Movement> consumption;  // values above 0
    Units refunded = 0;
};

// What is stored of an account contradicts itself. The core throws it, who read the account says which one it is.
class Damage : public std::exception {
public:
    explicit Damage(std::string detail) : detail_(std::move(detail)) {}
    const char* what() const noexcept override { return detail_.c_str(); }

private:
    std::string detail_;
};

class Account {
public:
    std::int64_t seq = 0;
    Units total = 0;
    Units debt = 0;
    Units owed = 0;

    // Adds a lot; a lot that is there already stays as it is.
    void add(const Lot& lot);
    // Brings the lots into the order of consumption. Call it once all are added.
    void sort();

    const std::vector<Lot>& lots() const { return lots_; }
    const std::vector<Entry>& entries() const { return entries_; }
    const Lot* find(std::int64_t seq) const;

    // What can be spent: the lots active at `now`, less what is held.
    Units active(Moment now) const;

    // Books the expiration of every lot past its date, but for what is held, each dated at the lot's own end.
    void expire(Moment now);

    // The verbs return the number of their entry in entries(). What follows from them (settling what is owed, expiring
    // at once) is booked behind it.
    std::size_t credit(Type type, Units value, Moment created_at, Moment active_from, Moment expires_at, Moment now);
    std::size_t redeem(Units value, Moment created_at, Moment now);
    std::size_t reverse(const Claim& claim, Moment created_at, Moment now);
    std::size_t refund(const Redemption& redemption, Units value, Moment created_at, Moment now);
    std::size_t write_off(Units value, Moment created_at);

    // Books the reset of what the lots hold that became active before the moment, but for what is held.
    void reset(Moment at);

    // Holds: reserving returns from which lots, committing takes exactly those.
    std::vector<Movement> hold(Units value, Moment now);
    void release(const std::vector<Movement>& reserved);
    std::size_t commit(const std::vector<Movement>& reserved, Moment created_at);

    // For an account that goes on: forgets its entries, and gives away the lots that nothing is left in. A refund needs
    // its own lots back.
    std::vector<Lot> put_aside();

private:
    Lot& at(std::int64_t seq);
    void insert(const Lot& lot);
    std::size_t add_entry(Type type, Units value, Moment created_at);
    void move(Entry& entry, Lot& lot, Units value);
    Units take(Entry& entry, Lot& lot, Units wanted);
    void expire_lot(Lot& lot);
    // After a credit into these lots: debt is paid within the entry; what is owed is taken in an entry of its own.
    void pay_debt(std::size_t entry, const std::vector<std::int64_t>& lots);
    void settle(Moment created_at, const std::vector<std::int64_t>& lots);

    std::vector<Lot> lots_;
    std::vector<Entry> entries_;
};

}  // namespace loyalty::ledger
