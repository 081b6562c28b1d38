// The model's roles: everything that the configuration of the day gives to a session's user or one of its
// groups, gone through anew for each question.
#include "tests/sim/model.h"

namespace pqd::sim {

bool Model::is_master(uint32_t uid) const { return uid == 0 || uid == options_.access.daemon_uid; }

bool Model::given(SessionNo session, const std::function<bool(const AccessRule&)>& wanted) const {
  const ModelSession& asks = sessions_.at(session);
  const AccessRules& all = options_.access;
  if (is_master(asks.uid) || (all.everyone && wanted(*all.everyone))) return true;
  for (const auto& [uid, rule] : all.users)
    if (uid == asks.uid && wanted(rule)) return true;
  for (const auto& [gid, rule] : all.groups)
    if (asks.groups.contains(gid) && wanted(rule)) return true;
  return false;
}

bool Model::is_admin(SessionNo session) const {
  return given(session, [](const AccessRule& rule) { return rule.admin; });
}

bool Model::operates(SessionNo session) const {
  return given(session, [](const AccessRule& rule) { return rule.admin || rule.operates; });
}

Error Model::may_submit(SessionNo session, const SubmitView& view) const {
  const auto takes = [&](const AccessRule& rule) {
    bool queue = rule.admin;
    for (const NamePattern& pattern : rule.produces) queue = queue || pattern.matches(view.queue);
    return queue;
  };
  // Acting for others is of those alone who have a role to do it in.
  const auto acts_for = [](const AccessRule& rule) {
    return rule.admin ||
           (rule.acts_for && (rule.operates || !rule.produces.empty() || !rule.consumes.empty()));
  };
  const bool good = given(session, takes) && (view.subject.empty() || given(session, acts_for));
  return good ? Error::kOk : Error::kUnauthorized;
}

bool Model::may_consume(SessionNo session, const std::string& queue,
                        const std::set<std::string>& types) const {
  const auto one = [&](const std::string* type) {
    return given(session, [&](const AccessRule& rule) {
      bool good = rule.admin;
      for (const ConsumeRight& right : rule.consumes)
        good = good || (right.queue.matches(queue) &&
                        (type == nullptr ? right.type.matches_all() : right.type.matches(*type)));
      return good;
    });
  };
  bool good = !types.empty() || one(nullptr);
  for (const std::string& type : types) good = good && one(&type);
  return good;
}

// A new engine learns of a session that was there: what it may consume no longer it is not given any more.
void Model::know_session(SessionNo number) {
  std::map<uint32_t, ModelSubscription>& all = sessions_.at(number).subscriptions;
  for (auto at = all.begin(); at != all.end();) {
    const ModelSubscription& entry = at->second;
    if (may_consume(number, entry.queue, entry.types)) {
      ++at;
      continue;
    }
    members_changed(entry.queue);
    at = all.erase(at);
  }
}

}  // namespace pqd::sim
