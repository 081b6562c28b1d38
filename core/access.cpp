#include "core/access.h"

#include <algorithm>

#include "core/job.h"

namespace pqd {

std::optional<NamePattern> NamePattern::parse(std::string_view text) {
  const bool beginning = text.ends_with('*');
  if (beginning) text.remove_suffix(1);
  const bool good = valid_name(text) || (beginning && text.empty());
  return good ? std::optional(NamePattern(text, beginning)) : std::nullopt;
}

std::optional<ConsumeRight> ConsumeRight::parse(std::string_view text) {
  const size_t slash = text.find('/');
  const auto queue = NamePattern::parse(text.substr(0, slash));
  const auto type = slash == std::string_view::npos ? NamePattern::everything()
                                                    : NamePattern::parse(text.substr(slash + 1));
  return queue && type ? std::optional(ConsumeRight{*queue, *type}) : std::nullopt;
}

Rights::Rights(const AccessRules& rules, uint32_t uid, std::span<const uint32_t> groups) {
  admin_ = operates_ = acts_for_ = rules.is_master(uid);
  if (rules.everyone) add(*rules.everyone);
  if (const auto user = rules.users.find(uid); user != rules.users.end()) add(user->second);
  for (const uint32_t gid : groups)
    if (const auto group = rules.groups.find(gid); group != rules.groups.end()) add(group->second);
}

void Rights::add(const AccessRule& rule) {
  if (!rule.any_role()) return;
  admin_ |= rule.admin;
  operates_ |= rule.operates || rule.admin;
  acts_for_ |= rule.acts_for || rule.admin;
  rules_.push_back(&rule);
}

bool Rights::may_submit(std::string_view queue) const {
  return admin_ || std::ranges::any_of(rules_, [queue](const AccessRule* rule) {
           return std::ranges::any_of(rule->produces,
                                      [queue](const NamePattern& name) { return name.matches(queue); });
         });
}

bool Rights::may_consume(std::string_view queue, std::span<const std::string_view> types) const {
  if (admin_) return true;
  if (types.empty()) return allows(queue, std::nullopt);
  return std::ranges::all_of(types, [&](std::string_view type) { return allows(queue, type); });
}

bool Rights::allows(std::string_view queue, std::optional<std::string_view> type) const {
  const auto fits = [&](const ConsumeRight& right) {
    return right.queue.matches(queue) && (type ? right.type.matches(*type) : right.type.matches_all());
  };
  return std::ranges::any_of(
      rules_, [&fits](const AccessRule* rule) { return std::ranges::any_of(rule->consumes, fits); });
}

}  // namespace pqd
