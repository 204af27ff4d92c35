#include "pg/promotions/editions.hpp"
#include "pg/server/in_turn.hpp"

#include "codec/tree_reader.hpp"

#include <algorithm>
#include <vector>

namespace loyalty::pg {

namespace {

// Who made a tree, and for one of this transaction's own making, when: it may edit further, or take it back. The
// content never differs between those who see it with the same maker.
struct Maker {
    TransactionId transaction = InvalidTransactionId;
    SubTransactionId subtransaction = InvalidSubTransactionId;
    CommandId command = 0;

    friend bool operator==(const Maker&, const Maker&) = default;
};

struct Kept {
    std::string program;
    std::int32_t version;
    Maker maker;
    std::shared_ptr<const AppliedVersion> tree;
};

// The last few that were used, the latest at the end. What is kept needs no invalidation, for each use asks who made
// the tree as the statement's snapshot sees it.
constexpr std::size_t most_kept = 8;

std::vector<Kept>& kept() {
    static std::vector<Kept> instance;
    return instance;
}

template <class Load>
std::shared_ptr<const AppliedVersion> keep(const std::string& program, std::int32_t version, const Maker& maker,
                                           Load load) {
    auto& trees = kept();
    const auto found = std::find_if(trees.begin(), trees.end(), [&](const Kept& tree) {
        return tree.program == program && tree.version == version;
    });
    Kept tree{program, version, maker, nullptr};
    if (found != trees.end()) {
        if (found->maker == maker) tree.tree = found->tree;
        trees.erase(found);
    }
    if (!tree.tree) tree.tree = load();
    if (trees.size() == most_kept) trees.erase(trees.begin());
    trees.push_back(tree);
    return tree.tree;
}

std::shared_ptr<const AppliedVersion> load_version(const std::string& program, std::int32_t number) {
    static Query query("SELECT tree::text FROM loyalty.promotion_versions WHERE program = $1 AND version = $2",
                       {TEXTOID, INT4OID});
    const Rows rows = query.run({text_argument(program), integer_argument(number)});
    auto version = make_version(codec::read_tree(rows.text(0, 1)), number);
    version->materialised = false;
    return version;
}

std::shared_ptr<const AppliedVersion> find_version(const Market& market, std::int32_t number) {
    static Query query("SELECT xmin FROM loyalty.promotion_versions WHERE program = $1 AND version = $2",
                       {TEXTOID, INT4OID});
    if (number == 0) return make_version(empty_tree(market), 0);
    const Rows rows = query.run({text_argument(market.program), integer_argument(number)});
    if (rows.size() == 0) {
        throw Error(sqlstate::unknown_version,
                    "program \"" + market.program + "\" has no version " + std::to_string(number), {},
                    "Name one of loyalty.version_history, or 0 for base prices.");
    }
    return keep(market.program, number, {DatumGetTransactionId(rows.datum(0, 1, XIDOID))},
                [&] { return load_version(market.program, number); });
}

std::shared_ptr<const AppliedVersion> load_draft(const std::string& program, bool with_drafts) {
    static Query query(
        "SELECT d.tree::text, (SELECT array_agg(p.external_id::text) FROM loyalty.promotions p"
        "                       WHERE p.program = d.program AND p.kind <> 'trigger' AND p.starts_at IS NULL)"
        "  FROM loyalty.promotion_drafts d WHERE d.program = $1",
        {TEXTOID});
    const Rows rows = query.run({text_argument(program)});
    ColumnsInTurn columns(rows);
    Tree tree = codec::read_tree(columns.text());
    for (auto& promotion : tree.promotions) {
        if (with_drafts && promotion.state == PromotionState::draft) promotion.state = PromotionState::active;
    }
    auto version = make_version(tree, draft_version);
    const auto starting_on_activation = columns.texts();
    for (auto& promotion : version->program.promotions) {
        if (std::ranges::find(starting_on_activation, promotion.id) != starting_on_activation.end())
            promotion.starts_at.reset();
    }
    return version;
}

// Every editor changes the program's row of loyalty.drafts.
std::shared_ptr<const AppliedVersion> find_draft(const Market& market, bool with_drafts) {
    static Query query("SELECT xmin FROM loyalty.drafts WHERE program = $1", {TEXTOID});
    const Rows rows = query.run({text_argument(market.program)});
    if (rows.size() == 0) {
        throw Error(sqlstate::data_corrupted, "program \"" + market.program + "\" has no row in loyalty.drafts", {},
                    "Insert it again: INSERT INTO loyalty.drafts (program) VALUES ('" + market.program + "').");
    }
    const TransactionId editor = DatumGetTransactionId(rows.datum(0, 1, XIDOID));
    const Maker maker = postgres([=] {
        if (!TransactionIdIsCurrentTransactionId(editor)) return Maker{editor};
        return Maker{editor, GetCurrentSubTransactionId(), GetActiveSnapshot()->curcid};
    });
    return keep(market.program, with_drafts ? draft_version - 1 : draft_version, maker,
                [&] { return load_draft(market.program, with_drafts); });
}

}  // namespace

CurrentProgram find_program(const std::optional<std::string>& id, const Edition& edition) {
    CurrentProgram program = current_program(id);
    const Market& market = program.live->market;
    if (edition.kind == Edition::Kind::version) program.version = find_version(market, edition.version);
    if (edition.kind == Edition::Kind::draft) program.version = find_draft(market, edition.with_drafts);
    return program;
}

}  // namespace loyalty::pg
