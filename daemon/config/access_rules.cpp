// From names to numbers.
#include "daemon/config/config.h"

namespace pqd {
namespace {

AccessRule rule_of(const AccessTable& table) {
  AccessRule rule;
  rule.admin = table.admin;
  rule.operates = table.operates;
  rule.acts_for = table.act_for;
  for (const std::string& queue : table.producer)
    if (const auto pattern = NamePattern::parse(queue)) rule.produces.push_back(*pattern);
  for (const std::string& work : table.consumer)
    if (const auto right = ConsumeRight::parse(work)) rule.consumes.push_back(*right);
  return rule;
}

}  // namespace

AccessRules access_rules(const AccessConfig& access, uint32_t daemon_uid) {
  AccessRules rules;
  rules.daemon_uid = daemon_uid;
  for (const auto& [name, table] : access.users) {
    if (name == "*")
      rules.everyone = rule_of(table);
    else if (const auto uid = uid_of_user(name))
      rules.users[*uid] = rule_of(table);
  }
  for (const auto& [name, table] : access.groups)
    if (const auto gid = gid_of_group(name)) rules.groups[*gid] = rule_of(table);
  return rules;
}

}  // namespace pqd
