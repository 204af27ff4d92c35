// text: a text comes with the order, for a receipt, a message or a till.
//
//     {"template": "You save {{ line.discount }} on {{ line.name }} 🎉"}
//
// On products one for each matching line, on orders one. The variables are listed in core/template.hpp and in the
// reference; they are filled in when all figures are final.
#include "core/benefits/benefits.hpp"

#include "core/calculate/template.hpp"

namespace loyalty {

namespace {

class Text final : public Benefit {
public:
    Text(Parameters& parameters, const BenefitSetting& setting)
        : text_(parameters, "template",
                setting.level == Level::product ? Template::Subject::line : Template::Subject::order, setting) {
        parameters.finish();
    }

    Needs needs() const override { return Needs::order; }
    const Template* text() const override { return &text_; }

    std::vector<ReachFrom> reaches(const Program&) const override { return {}; }

    Proposal propose(View view) const override {
        Proposal proposal;
        proposal.level = view.level;
        if (view.level == Level::order) {
            proposal.texts.push_back(no_line);
        } else {
            for (const auto& line : sums_by_line(view)) proposal.texts.push_back(line.line);
        }
        return proposal;
    }

private:
    Template text_;
};

}  // namespace

std::unique_ptr<const Benefit> read_text(Parameters& parameters, const BenefitSetting& setting) {
    return std::make_unique<Text>(parameters, setting);
}

}  // namespace loyalty
