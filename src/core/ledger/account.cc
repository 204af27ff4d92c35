#include "core/ledger/account.hpp"

#include <algorithm>
#include <tuple>

namespace loyalty::ledger {

namespace {

// Soonest-expiring first, then what can be spent for longest already, then in the order of booking.
bool is_consumed_before(const Lot& a, const Lot& b) {
    return std::tie(a.expires_at, a.active_from, a.seq) < std::tie(b.expires_at, b.active_from, b.seq);
}

bool is_active(const Lot& lot, Moment now) { return lot.active_from <= now && now < lot.expires_at; }

// What each lot gets back once `amount` in all was given back: the lots consumed last come first.
std::vector<Units> given_back(const std::vector<Movement>& consumption, Units amount) {
    std::vector<Units> parts(consumption.size());
    for (std::size_t i = consumption.size(); i-- > 0;) {
        parts[i] = std::min(amount, consumption[i].value);
        amount -= parts[i];
    }
    return parts;
}

}  // namespace

void Account::add(const Lot& lot) {
    if (!find(lot.seq)) lots_.push_back(lot);
}

void Account::sort() { std::sort(lots_.begin(), lots_.end(), is_consumed_before); }

const Lot* Account::find(std::int64_t seq) const {
    const auto found = std::find_if(lots_.begin(), lots_.end(), [=](const Lot& lot) { return lot.seq == seq; });
    return found == lots_.end() ? nullptr : &*found;
}

Lot& Account::at(std::int64_t seq) {
    const Lot* lot = find(seq);
    if (!lot) throw Damage("Lot " + std::to_string(seq) + " is not there.");
    return const_cast<Lot&>(*lot);
}

void Account::insert(const Lot& lot) {
    lots_.insert(std::upper_bound(lots_.begin(), lots_.end(), lot, is_consumed_before), lot);
}

Units Account::active(Moment now) const {
    Units sum = 0;
    for (const auto& lot : lots_) {
        if (is_active(lot, now)) sum += lot.available();
    }
    return sum;
}

std::size_t Account::add_entry(Type type, Units value, Moment created_at) {
    Entry entry;
    entry.type = type;
    entry.seq = ++seq;
    entry.value = value;
    entry.before = total;
    entry.after = total += value;
    entry.created_at = created_at;
    entries_.push_back(std::move(entry));
    return entries_.size() - 1;
}

void Account::move(Entry& entry, Lot& lot, Units value) {
    if (value == 0) return;
    lot.remaining += value;
    lot.changed = true;
    const auto same = std::find_if(entry.movements.begin(), entry.movements.end(),
                                   [&](const Movement& m) { return m.lot == lot.seq; });
    if (same == entry.movements.end()) {
        entry.movements.push_back({lot.seq, value});
    } else if ((same->value += value) == 0) {
        entry.movements.erase(same);
    }
}

Units Account::take(Entry& entry, Lot& lot, Units wanted) {
    const Units taken = std::min(wanted, lot.available());
    move(entry, lot, -taken);
    return taken;
}

void Account::expire_lot(Lot& lot) {
    const Units value = lot.available();
    lot.remaining -= value;
    lot.changed = true;
    entries_[add_entry(Type::expiration, -value, lot.expires_at)].lot = lot.seq;
}

void Account::expire(Moment now) {
    for (auto& lot : lots_) {
        if (lot.expires_at <= now && lot.available() > 0) expire_lot(lot);
    }
}

void Account::pay_debt(std::size_t entry, const std::vector<std::int64_t>& lots) {
    for (const auto lot : lots) {
        const Units paid = take(entries_[entry], at(lot), debt);
        debt -= paid;
        entries_[entry].debt -= paid;
    }
}

void Account::settle(Moment created_at, const std::vector<std::int64_t>& lots) {
    Units value = 0;
    for (const auto lot : lots) value += at(lot).available();
    value = std::min(value, owed);
    if (value == 0) return;
    Entry& entry = entries_[add_entry(Type::reversal, -value, created_at)];
    entry.source = Source::settlement;
    entry.owed = -value;
    owed -= value;
    for (const auto lot : lots) value -= take(entry, at(lot), value);
}

std::size_t Account::credit(Type type, Units value, Moment created_at, Moment active_from, Moment expires_at,
                            Moment now) {
    const std::size_t entry = add_entry(type, value, created_at);
    Lot lot;
    lot.seq = seq;
    lot.amount = lot.remaining = value;
    lot.active_from = active_from;
    lot.expires_at = expires_at;
    lot.is_new = true;
    insert(lot);
    pay_debt(entry, {lot.seq});
    settle(created_at, {lot.seq});
    expire(now);
    return entry;
}

std::size_t Account::redeem(Units value, Moment created_at, Moment now) {
    const std::size_t entry = add_entry(Type::redemption, -value, created_at);
    for (auto& lot : lots_) {
        if (value > 0 && is_active(lot, now)) value -= take(entries_[entry], lot, value);
    }
    if (value != 0) throw Damage("Its lots hold less than they did.");
    return entry;
}

std::size_t Account::reverse(const Claim& claim, Moment created_at, Moment now) {
    const Units lapsed = std::min(claim.amount, claim.lapsed);
    Units missing = claim.amount - lapsed;
    const std::size_t number = add_entry(Type::reversal, 0, created_at);
    Entry& entry = entries_[number];
    entry.undoes = claim.accrual;
    entry.lapsed = lapsed;
    if (claim.accrual) missing -= take(entry, at(*claim.accrual), missing);
    for (auto& lot : lots_) {
        if (missing > 0 && is_active(lot, now)) missing -= take(entry, lot, missing);
    }
    for (auto& lot : lots_) {
        if (missing > 0 && lot.active_from > now) missing -= take(entry, lot, missing);
    }
    Units taken = claim.amount - lapsed - missing;
    if (claim.debt_allowed) {
        entry.debt = missing;
        debt += missing;
        taken += missing;
    } else {
        entry.owed = missing;
        owed += missing;
    }
    entry.value = -taken;
    entry.after = total -= taken;
    return number;
}

std::size_t Account::refund(const Redemption& redemption, Units value, Moment created_at, Moment now) {
    const std::size_t entry = add_entry(Type::refund, value, created_at);
    entries_[entry].undoes = redemption.seq;
    const auto before = given_back(redemption.consumption, redemption.refunded);
    const auto after = given_back(redemption.consumption, redemption.refunded + value);
    std::vector<std::int64_t> refilled;
    for (std::size_t i = redemption.consumption.size(); i-- > 0;) {
        if (after[i] == before[i]) continue;
        move(entries_[entry], at(redemption.consumption[i].lot), after[i] - before[i]);
        refilled.push_back(redemption.consumption[i].lot);
    }
    pay_debt(entry, refilled);
    settle(created_at, refilled);
    expire(now);
    return entry;
}

std::size_t Account::write_off(Units value, Moment created_at) {
    const std::size_t entry = add_entry(Type::reversal, 0, created_at);
    entries_[entry].owed = -value;
    owed -= value;
    return entry;
}

void Account::reset(Moment at) {
    Units value = 0;
    for (const auto& lot : lots_) value += lot.active_from < at ? lot.available() : 0;
    if (value == 0) return;
    Entry& entry = entries_[add_entry(Type::reset, -value, at)];
    for (auto& lot : lots_) {
        if (lot.active_from < at) take(entry, lot, lot.available());
    }
}

std::vector<Movement> Account::hold(Units value, Moment now) {
    std::vector<Movement> reserved;
    for (auto& lot : lots_) {
        const Units part = is_active(lot, now) ? std::min(value, lot.available()) : 0;
        if (part == 0) continue;
        lot.held += part;
        lot.changed = true;
        value -= part;
        reserved.push_back({lot.seq, part});
    }
    if (value != 0) throw Damage("Its lots hold less than they did.");
    return reserved;
}

void Account::release(const std::vector<Movement>& reserved) {
    for (const auto& part : reserved) {
        Lot& lot = at(part.lot);
        lot.held -= part.value;
        lot.changed = true;
    }
}

std::size_t Account::commit(const std::vector<Movement>& reserved, Moment created_at) {
    Units value = 0;
    for (const auto& part : reserved) value += part.value;
    const std::size_t entry = add_entry(Type::redemption, -value, created_at);
    release(reserved);
    for (const auto& part : reserved) move(entries_[entry], at(part.lot), -part.value);
    return entry;
}

std::vector<Lot> Account::put_aside() {
    entries_.clear();
    const auto empty = std::stable_partition(lots_.begin(), lots_.end(), [](const Lot& l) { return l.remaining > 0; });
    std::vector<Lot> given(empty, lots_.end());
    lots_.erase(empty, lots_.end());
    return given;
}

}  // namespace loyalty::ledger
