#include "pg/reports/replay.hpp"

#include "codec/listed_fields.hpp"
#include "codec/order_reader.hpp"
#include "codec/resolved_order.hpp"
#include "core/calculate/benefit.hpp"

#include <algorithm>
#include <iterator>

#include "pg/orders/buyer.hpp"
#include "pg/orders/buyers.hpp"
#include "pg/orders/catalogue.hpp"
#include "pg/orders/document_values.hpp"
#include "pg/orders/segments.hpp"
#include "pg/orders/stored_result.hpp"
#include "pg/orders/time.hpp"
#include "pg/server/clock.hpp"
#include "pg/server/memory.hpp"
#include "pg/server/owner.hpp"

namespace loyalty::pg {

namespace {

constexpr std::int64_t orders_a_notice = 100'000;

// Where what is stored today is asked. An error that concerns the order only must not leave it as an exception, which
// would leave behind what the transaction's end has to clean up; one of the database's configuration does.
class InBox {
public:
    template <class Body>
    auto run(const Body& body) const -> decltype(body()) {
        std::optional<Unreplayable> failure;
        if constexpr (std::is_void_v<decltype(body())>) {
            within([&] { body(); }, failure);
            if (failure) throw *failure;
        } else {
            std::optional<decltype(body())> result;
            within([&] { result = body(); }, failure);
            if (failure) throw *failure;
            return std::move(*result);
        }
    }

private:
    template <class Body>
    static void within(const Body& body, std::optional<Unreplayable>& failure) {
        const AsOwner as_owner = AsOwner::reading();
        const Spi connection;
        try {
            body();
        } catch (const Error& error) {
            if (concerns_database(error)) throw;
            failure = Unreplayable{shown(error)};
        }
    }
};

// Those of the unknown ones that hold today.
void add(std::vector<std::uint32_t>& to, const std::vector<std::uint32_t>& today, const std::vector<Index>& unknown) {
    for (const Index one : unknown) {
        if (std::find(today.begin(), today.end(), one) != today.end()) to.push_back(one);
    }
    std::sort(to.begin(), to.end());
}

}  // namespace

std::string shown(const Error& error) {
    return error.message() + (error.detail().empty() ? "" : " (" + error.detail() + ")");
}

bool concerns_database(const Error& error) {
    return error.sqlstate() == sqlstate::profiles_missing || error.sqlstate() == sqlstate::profiles_unreadable;
}

Replay::Replay(const std::string& program, std::optional<std::int32_t> version, OrdersBeforeFrom orders_before)
    : current_(find_program(program, version ? Edition::number(*version) : Edition::draft())),
      orders_before_(orders_before) {}

ReplayedOrder Replay::resolve(const StoredOrder& stored, Oid caller) {
    if (++replayed_ % orders_a_notice == 0) tell();
    if (!stored.resolved) {
        return resolve_imported(filled(codec::read_imported_orders("[" + std::string(stored.content()) + "]").front()),
                                caller);
    }
    const Source& source = source_of(stored.version);
    auto input = codec::read_resolved_order(jsonb_text(*stored.resolved), source.current.version->program);
    ReplayedOrder replayed{source.transfer(input.order), std::move(input.credited), std::nullopt};
    if (source.transfer.unknown().any()) {
        judge_unknown(replayed.order, filled(codec::read_order(stored.content())), source.transfer.unknown(), caller);
    }
    return replayed;
}

Calculation Replay::calculate(const ReplayedOrder& replayed) const {
    CalculationOptions options;
    options.check_interrupts = check_calculation;
    options.is_credited = [&](std::string_view credit_on) {
        if (replayed.status) return current_.live->market.is_credited(*replayed.status, credit_on);
        return std::find(replayed.credited.begin(), replayed.credited.end(), credit_on) != replayed.credited.end();
    };
    return loyalty::calculate(program(), replayed.order, options);
}

const Replay::Source& Replay::source_of(std::int32_t version) {
    const auto found = sources_.find(version);
    if (found != sources_.end()) return found->second;
    CurrentProgram current = find_source(version);
    Transfer transfer(current.version->program, program());
    return sources_.emplace(version, Source{std::move(current), std::move(transfer)}).first->second;
}

CurrentProgram Replay::find_source(std::int32_t version) const {
    const InBox box;
    return box.run([&] { return find_program(current_.live->market.program, Edition::number(version)); });
}

OrderDocument Replay::filled(OrderDocument document) const {
    codec::fill_listed_fields(document, current_.live->market.fields, codec::Origin::made_up);
    return document;
}

// An imported order is quoted at its lines' prices, for the buyer of today, without usage limits.
ReplayedOrder Replay::resolve_imported(const OrderDocument& document, Oid caller) const {
    const InBox box;
    return box.run([&] {
        const Market& market = current_.live->market;
        check_references(document, program(), market);
        Catalogue catalogue = find_products(current_, document);
        Order order = loyalty::resolve(document, program(), catalogue.products, std::move(catalogue.segments),
                                       find_buyer(current_, document.member, now(), caller));
        const std::string& zone = program().time_zone;
        const TimestampTz at = document.time ? read_order_time(*document.time, zone) : now();
        order.time = local_time(at, zone);
        if (order.buyer.orders && orders_before_ == OrdersBeforeFrom::orders)
            order.buyer.orders = count_orders_before(program(), order.buyer.key, at);
        resolve_place(order, document, market);
        find_order_segments(order, document, *current_.version, catalogue.documents);
        find_partner_products(order, program(), order.time.day());
        read_values(order, document, current_, shown_time(document), caller);
        return ReplayedOrder{std::move(order), {}, document.status.value_or("new")};
    });
}

void Replay::judge_unknown(Order& order, OrderDocument document, const Unknown& unknown, Oid caller) const {
    if (document.lines.size() != order.lines.size())
        throw Unreplayable{"its content and its stored input have other lines"};
    const InBox box;
    box.run([&] {
        for (const auto& line : order.lines) {
            LineDocument& own = document.lines[line.position];
            own.price = Decimal::of(line.price.units, program().price_scale);
            if (line.min_price) own.min_price = Decimal::of(line.min_price->units, program().price_scale);
        }
        // What nobody looked at when it was placed is not stored.
        if (orders_before_ == OrdersBeforeFrom::orders && current_.version->needs.orders_before &&
            !order.buyer.orders && !order.buyer.key.empty()) {
            order.buyer.orders = count_orders_before(program(), order.buyer.key, moment(order.time.unix_us));
        }
        judge_products(order, document, unknown);
        if (unknown.of_buyer() && order.buyer.kind == BuyerKind::member) {
            const Buyer today = find_buyer(current_, order.buyer.key, now(), caller);
            add(order.buyer.segments, today.segments, unknown.profile_segments);
            add(order.buyer.tiers, today.tiers, unknown.tiers);
        }
        if (unknown.of_values()) add_values(order, document, unknown, caller);
    });
}

void Replay::judge_products(Order& order, const OrderDocument& document, const Unknown& unknown) const {
    if (!unknown.of_products() && unknown.order_segments.empty()) return;
    const Catalogue catalogue = find_products(current_, document);
    for (auto& line : order.lines) add(line.segments, catalogue.segments[line.position], unknown.product_segments);
    if (unknown.order_segments.empty()) return;
    Order judged = order;
    judged.segments.clear();
    find_order_segments(judged, document, *current_.version, catalogue.documents);
    add(order.segments, judged.segments, unknown.order_segments);
}

void Replay::add_values(Order& order, const OrderDocument& document, const Unknown& unknown, Oid caller) const {
    Order today = order;
    today.values.clear();
    read_values(today, document, current_, shown_time(document), caller);
    for (std::size_t i = 0; i < order.lines.size(); i++) {
        for (const auto place : unknown.product_values) order.lines[i].values[place] = today.lines[i].values[place];
    }
    for (const auto place : unknown.gifts) order.gifts[place] = today.gifts[place];
    for (const auto place : unknown.order_values) order.values[place] = today.values[place];
    if (order.buyer.key.empty()) return;
    for (const auto place : unknown.profile_values) order.buyer.values[place] = today.buyer.values[place];
}

void Replay::judge_orders_before(Order& order, const StoredOrder& stored) const {
    std::vector<Index> concerned;
    for (Index i = 0; i < program().order_segments.size(); i++) {
        if (reads_member(program().order_segments[i], "orders")) concerned.push_back(i);
    }
    if (concerned.empty()) return;
    const OrderDocument document =
        filled(stored.resolved ? codec::read_order(stored.content())
                               : codec::read_imported_orders("[" + std::string(stored.content()) + "]").front());
    std::erase_if(order.segments, [&](Index one) { return std::ranges::find(concerned, one) != concerned.end(); });
    const InBox box;
    box.run([&] {
        Order judged = order;
        find_order_segments(judged, document, *current_.version, {});
        add(order.segments, judged.segments, concerned);
    });
}

bool Replay::judges_orders_before_by_lines() const {
    return std::ranges::any_of(program().order_segments, [](const Segment& segment) {
        return reads_member(segment, "orders") && reads_member(segment, "lines");
    });
}

bool Replay::issues_from(const std::string& pool) const {
    const auto issues = [&](const Program& tree) {
        return std::ranges::any_of(tree.benefits,
                                   [&](const BenefitEntry& benefit) { return benefit.rule->pool() == pool; });
    };
    return issues(program()) || std::ranges::any_of(sources_, [&](const auto& source) {
               return issues(source.second.current.version->program);
           });
}

std::string Replay::shown_time(const OrderDocument& document) const {
    const std::string& zone = program().time_zone;
    return document.time ? show_time(read_order_time(*document.time, zone), zone) : "";
}

void Replay::tell() const {
    const auto count = static_cast<long long>(replayed_);
    postgres([=] { ereport(NOTICE, (errmsg("replayed %lld orders in process %d", count, MyProcPid))); });
}

// ---------------------------------------------------------------------------------------------------------------------
// Beside what it came to

namespace {

std::vector<std::string> promotions_of(const Program& program, const Calculation& calculation) {
    std::vector<std::string> ids;
    for (const auto& operation : calculation.operations) {
        if (!operation.entry.has_effect()) continue;
        const Condition& condition = program.conditions[program.benefits[operation.entry.benefit].condition];
        ids.push_back(program.promotions[condition.promotion].id);
    }
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    return ids;
}

Datum points_of(const Program& program, const Calculation& calculation) {
    JsonbWriter out;
    out.begin_object();
    for (std::size_t type = 0; type < calculation.points.size(); type++) {
        const Points earned = calculation.points[type].accrued + calculation.points[type].pending;
        if (earned.is_zero()) continue;
        out.key(program.point_types[type].id);
        out.number(earned.units, program.point_types[type].scale);
    }
    out.end_object();
    return out.take();
}

// Those of the first that the second has not; both ascending.
std::vector<std::string> without(const std::vector<std::string>& some, const std::vector<std::string>& others) {
    std::vector<std::string> rest;
    std::set_difference(some.begin(), some.end(), others.begin(), others.end(), std::back_inserter(rest));
    return rest;
}

}  // namespace

Comparison compare(const Program& program, const Calculation& calculation, std::optional<Datum> result_before) {
    const StoredResult before = read_stored_result(result_before);
    const auto promotions = promotions_of(program, calculation);
    return {{{numeric_datum(calculation.total.units, program.currency_scale), false},
             {before.points, false},
             {points_of(program, calculation), false},
             texts_argument(without(promotions, before.promotions)),
             texts_argument(without(before.promotions, promotions)),
             null_argument()}};
}

Comparison failed_comparison(std::optional<Datum> result_before, const std::string& error) {
    const Argument null = null_argument(), none = texts_argument({});
    return {{null, {read_stored_result(result_before).points, false}, null, none, none, text_argument(error)}};
}

}  // namespace loyalty::pg
