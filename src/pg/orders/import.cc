// loyalty_import_orders: orders made elsewhere, stored as given, many in a few statements.
#include "core/order/resolve.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "pg/ledger/store.hpp"
#include "pg/members/lock.hpp"
#include "pg/members/profile.hpp"
#include "pg/orders/imported.hpp"
#include "pg/orders/time.hpp"
#include "pg/server/arguments.hpp"
#include "pg/server/clock.hpp"
#include "pg/server/days.hpp"
#include "pg/server/guarded_writing.hpp"
#include "pg/server/jsonb.hpp"
#include "pg/server/owner.hpp"
#include "pg/tiers/tiers.hpp"

namespace loyalty::pg {

namespace {

class Import {
public:
    Import(Datum given, Oid caller) : imported_{given, {}, {}}, caller_(caller) {}

    Datum run(MemoryContext into) {
        for (auto& document : codec::read_imported_orders(text(), check_interrupts))
            orders_.push_back({std::move(document), {}, 0, {}, true});
        for (std::size_t i = 0; i < orders_.size(); i++) {
            check_interrupts();
            ImportedOrders::in_order(i, [&] { resolve_order(orders_[i]); });
        }
        find_keys();
        check_ids();
        find_known(imported_);
        by_buyers([](const std::string& program, const auto& buyers) { lock_members(program, buyers); });
        // Whoever imports the same at the same time is waited for here; what was stored then is not stored again.
        if (claim_ids(imported_) < imported_.count_new()) find_known(imported_);
        store_imported(imported_);
        by_buyers(
            [&](const std::string& program, const auto& buyers) { judge_members(program, buyers, now(), caller_); });
        return answer(into);
    }

private:
    std::string_view text() const {
        const std::size_t size = toast_raw_datum_size(imported_.document);
        if (size > max_document_bytes) {
            throw Error(sqlstate::document_too_large, "invalid orders: the document is too large",
                        "It has " + std::to_string(size) + " bytes.", "Import them in parts of at most 16 MiB.");
        }
        return jsonb_text(imported_.document);
    }

    void resolve_order(Imported& order) {
        const OrderDocument& document = order.document;
        const CurrentProgram& current = imported_.program_of(order);
        const Program& program = current.version->program;
        check_active(current.live->market);
        check_references(document, program, current.live->market);
        order.key.program = current.live->market.program;
        order.key.external_id = *document.external_id;
        order.time = now();
        if (document.time) order.time = read_order_time(*document.time, program.time_zone);
        if (order.time > now()) {
            throw Error(sqlstate::time_in_future, "invalid order: the time lies in the future",
                        "At $.time, the value is \"" + *document.time + "\".", "Import orders that were made.");
        }
        if (document.time) refuse_year_of_two_digits(order.time, *document.time);
        const std::size_t lines = document.lines.size();
        order.order = resolve(document, program, std::vector<Product>(lines),
                              std::vector<std::vector<std::uint32_t>>(lines), Buyer());
    }

    // -----------------------------------------------------------------------------------------------------------------
    // Buyers

    void find_keys() {
        std::map<std::string, std::vector<std::size_t>> by_program;
        for (std::size_t i = 0; i < orders_.size(); i++) {
            Imported& order = orders_[i];
            if (order.document.member) {
                by_program[order.key.program].push_back(i);
            } else {
                order.key.buyer = "g:" + order.key.external_id;
            }
        }
        for (const auto& of_program : by_program) {
            const auto& members = of_program.second;  // not bound by name: clang++ lets no lambda capture that
            std::vector<std::string> keys;
            for (const auto i : members) keys.push_back(*orders_[i].document.member);
            const LiveProgram& live = *imported_.program_of(orders_[members.front()]).live;
            const auto profiles = find_profiles(live.profiles, keys, caller_);
            for (std::size_t n = 0; n < members.size(); n++) {
                ImportedOrders::in_order(members[n], [&] {
                    if (!profiles[n]) fail_unknown(keys[n], live.market.profile_database);
                    orders_[members[n]].key.buyer = "m:" + *profiles[n];
                });
            }
        }
    }

    [[noreturn]] static void fail_unknown(const std::string& key, const std::string& database) {
        throw Error(sqlstate::unknown_profile, "invalid order: the member is not in the profile database",
                    "At $.member, the value is \"" + key + "\".",
                    "Give a key of profile database \"" + database + "\", or no member for an anonymous guest.");
    }

    void check_ids() const {
        std::map<std::pair<std::string, std::string>, std::size_t> seen;
        for (std::size_t i = 0; i < orders_.size(); i++) {
            const OrderKey& key = orders_[i].key;
            ImportedOrders::in_order(i, [&] {
                check_order_ids(orders_[i].document);
                if (seen.emplace(std::pair(key.program, key.external_id), i).second) return;
                throw Error(sqlstate::duplicate_key, "invalid order: two orders have the same id",
                            "At $.external_id, the value is \"" + key.external_id + "\".", "Give each order once.");
            });
        }
    }

    // The profiles that the new orders of a program name, each once.
    template <class Body>
    void by_buyers(const Body& body) {
        imported_.by_program([&](const std::string& program, const Program&, const std::vector<std::size_t>& members) {
            std::set<std::string> buyers;
            for (const auto i : members) {
                if (const auto profile = orders_[i].key.profile()) buyers.insert(*profile);
            }
            body(program, std::vector<std::string>(buyers.begin(), buyers.end()));
        });
    }

    Datum answer(MemoryContext into) const {
        const auto stored = static_cast<std::int64_t>(imported_.count_new());
        JsonbWriter out;
        out.begin_object();
        out.key("imported");
        out.number(stored, 0);
        out.key("repeated");
        out.number(static_cast<std::int64_t>(orders_.size()) - stored, 0);
        out.end_object();
        return copy_out(out.take(), into);
    }

    ImportedOrders imported_;
    std::vector<Imported>& orders_ = imported_.orders;
    const Oid caller_;
};

}  // namespace

const CurrentProgram& ImportedOrders::program_of(const Imported& order) {
    const std::string name = order.document.program.value_or("");
    const auto found = programs.find(name);
    if (found != programs.end()) return found->second;
    return programs.emplace(name, current_program(order.document.program)).first->second;
}

std::size_t ImportedOrders::count_new() const {
    return static_cast<std::size_t>(std::ranges::count_if(orders, &Imported::is_new));
}

}  // namespace loyalty::pg

extern "C" {
PG_FUNCTION_INFO_V1(loyalty_import_orders);
Datum loyalty_import_orders(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const MemoryContext into = CurrentMemoryContext;
        const Oid caller = GetUserId();
        const AsOwner as_owner = AsOwner::writing();
        const Spi connection;
        const GuardedWriting writing;
        return Import(PG_GETARG_DATUM(0), caller).run(into);
    });
}
}
