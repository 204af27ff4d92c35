#include "pg/server/predicate.hpp"

#include "codec/json.hpp"

#include "pg/server/jsonb.hpp"

namespace loyalty::pg {

bool holds(Datum predicate, Datum document) {
    return postgres([=] {
        LOCAL_FCINFO(call, 2);
        InitFunctionCallInfoData(*call, nullptr, 2, InvalidOid, nullptr, nullptr);
        call->args[0] = {document, false};
        call->args[1] = {predicate, false};
        const Datum result = jsonb_path_match_opr(call);
        return !call->isnull && DatumGetBool(result);
    });
}

Datum with_segments(Datum document, const std::vector<std::string>& segments) {
    const Datum member = jsonb_from_text("{\"segments\":" + json_array(segments) + "}");
    return postgres([=] { return DirectFunctionCall2(jsonb_concat, document, member); });
}

std::string json_array(const std::vector<std::string>& texts) {
    std::string json = "[";
    for (const auto& text : texts) {
        if (json.size() > 1) json += ',';
        codec::write_string(json, text);
    }
    return json + "]";
}

}  // namespace loyalty::pg
