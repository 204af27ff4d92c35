#include "pg/ledger/named.hpp"

#include "pg/server/in_turn.hpp"
#include "pg/server/spi.hpp"

namespace loyalty::pg {

bool lock_named(const std::string& program, const std::set<std::string>& promotions,
                const std::set<std::string>& point_types) {
    static Query query(
        "SELECT (SELECT count(*) FROM (SELECT FROM loyalty.promotions"
        "                               WHERE program = $1 AND external_id = ANY ($2) FOR KEY SHARE) p)::integer,"
        "       (SELECT count(*) FROM (SELECT FROM loyalty.point_types"
        "                               WHERE program = $1 AND external_id = ANY ($3) FOR KEY SHARE) t)::integer",
        {TEXTOID, TEXTARRAYOID, TEXTARRAYOID});
    if (postgres([] { return IsolationUsesXactSnapshot(); })) return false;
    const auto ids = [](const std::set<std::string>& names) {
        return texts_argument(std::vector<std::string>(names.begin(), names.end()));
    };
    const Rows rows = query.run({text_argument(program), ids(promotions), ids(point_types)}, true);
    ColumnsInTurn columns(rows);
    const bool has_promotions = columns.integer() == std::ssize(promotions);
    return columns.integer() == std::ssize(point_types) && has_promotions;
}

}  // namespace loyalty::pg
