#include "pg/reports/carried.hpp"

namespace loyalty::pg {

using namespace ledger;

void CarriedAccount::begin(TimestampTz at) {
    account.expire(at);
    end();
}

void CarriedAccount::judge(Units change) {
    if (!group_) return;
    lifetime_ += change;
    standing = tiers::judge_cumulative(group_->ladder, lifetime_, standing, group_->fall_on_reversal && change < 0);
}

void CarriedAccount::end() {
    judge(tiers::lifetime_change(account));
    for (const auto& entry : account.entries()) {
        if (entry.type == Type::expiration) lapsed_[*entry.lot] -= entry.value;
        if (entry.type != Type::reset) continue;
        for (const auto& movement : entry.movements) lapsed_[movement.lot] -= movement.value;
    }
    for (const auto& lot : account.put_aside()) aside_.insert_or_assign(lot.seq, lot);
}

void CarriedAccount::bring_back(std::int64_t lot) {
    const auto found = aside_.find(lot);
    if (found == aside_.end()) return;
    account.add(found->second);
    aside_.erase(found);
}

std::int64_t CarriedAccount::credit(Units value, TimestampTz created_at, TimestampTz active_from,
                                    TimestampTz expires_at, TimestampTz at, Type type) {
    account.expire(at);
    const std::size_t entry = account.credit(type, value, created_at, active_from, expires_at, at);
    const std::int64_t seq = account.entries()[entry].seq;
    end();
    return seq;
}

Redemption CarriedAccount::spend(Units value, TimestampTz created_at, TimestampTz at) {
    account.expire(at);
    const ledger::Entry& entry = account.entries()[account.redeem(value, created_at, at)];
    Redemption redemption;
    redemption.seq = entry.seq;
    for (const auto& movement : entry.movements) redemption.consumption.push_back({movement.lot, -movement.value});
    end();
    return redemption;
}

void CarriedAccount::refund(Redemption& redemption, Units value, TimestampTz at) {
    for (const auto& part : redemption.consumption) bring_back(part.lot);
    account.sort();
    account.expire(at);
    account.refund(redemption, value, at, at);
    redemption.refunded += value;
    end();
}

void CarriedAccount::take_back(std::optional<std::int64_t> accrual, Units value, bool debt_allowed, TimestampTz at) {
    Claim claim;
    claim.amount = value;
    claim.debt_allowed = debt_allowed;
    claim.accrual = accrual;
    begin(at);
    if (accrual) {
        bring_back(*accrual);
        account.sort();
        claim.lapsed = lapsed_[*accrual];
        lapsed_[*accrual] -= std::min(claim.amount, claim.lapsed);
    }
    account.reverse(claim, at, at);
    end();
}

void CarriedAccount::write_off(Units value, TimestampTz at) {
    account.expire(at);
    account.write_off(value, at);
    end();
}

}  // namespace loyalty::pg
