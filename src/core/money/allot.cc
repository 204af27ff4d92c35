#include "core/money/allot.hpp"

#include "core/money/amount.hpp"

#include <algorithm>
#include <numeric>

namespace loyalty {

std::vector<std::int64_t> allot(std::int64_t amount, std::span<const std::int64_t> weights) {
    std::vector<std::int64_t> shares(weights.size(), 0);
    if (weights.empty() || amount == 0) return shares;
    if (weights.size() == 1) {
        shares[0] = amount;
        return shares;
    }
    int128 sum = 0;
    for (const auto weight : weights) sum += weight;
    if (sum == 0) {
        shares[0] = amount;
        return shares;
    }
    std::vector<int128> remainders(weights.size());
    std::int64_t left = amount;
    for (std::size_t i = 0; i < weights.size(); i++) {
        const int128 product = static_cast<int128>(amount) * weights[i];
        shares[i] = static_cast<std::int64_t>(product / sum);
        remainders[i] = product % sum;
        left -= shares[i];
    }
    if (left == 0) return shares;
    std::vector<std::uint32_t> order(weights.size());
    std::iota(order.begin(), order.end(), 0U);
    const auto larger = [&](std::uint32_t a, std::uint32_t b) {
        return remainders[a] != remainders[b] ? remainders[a] > remainders[b] : a < b;
    };
    std::partial_sort(order.begin(), order.begin() + left, order.end(), larger);
    for (std::int64_t i = 0; i < left; i++) shares[order[static_cast<std::size_t>(i)]]++;
    return shares;
}

std::vector<std::int64_t> fill(std::int64_t amount, std::span<const std::int64_t> weights,
                               std::span<const std::int64_t> rooms) {
    std::vector<std::int64_t> shares(weights.size(), 0);
    std::vector<std::int64_t> open(weights.begin(), weights.end());
    while (std::any_of(open.begin(), open.end(), [](std::int64_t weight) { return weight > 0; })) {
        const auto more = allot(amount, open);
        for (std::size_t i = 0; i < open.size(); i++) {
            const std::int64_t placed = std::min(more[i], rooms[i] - shares[i]);
            shares[i] += placed;
            amount -= placed;
            if (shares[i] >= rooms[i]) open[i] = 0;
        }
        if (amount == 0) break;
    }
    return shares;
}

}  // namespace loyalty
