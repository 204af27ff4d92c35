// Promo codes of placed orders: those it uses, those it issues, and what becomes of both when it comes back.
#pragma once

#include "core/calculate/calculate.hpp"

#include <optional>
#include <string>
#include <vector>

#include "pg/orders/store.hpp"

namespace loyalty::pg {

struct IssuedCode {
    std::string promotion, promotion_name, pool;
    std::optional<std::string> code;  // nothing: the pool had none
    std::string message;              // to the buyer, with the code; empty: none
};

// Counts the uses of the codes that had an effect. They are locked.
void use_promo_codes(const OrderKey& key, const Order& order, const Calculation& calculation);

// Attaches codes to the buyer, where promotions issue them, and tells of it.
std::vector<IssuedCode> issue_promo_codes(const OrderKey& key, const Program& program, const Calculation& calculation);

// With the last unit of an order: frees the uses, and detaches issued codes that were not used.
void give_back_promo_codes(const OrderKey& key);

}  // namespace loyalty::pg
