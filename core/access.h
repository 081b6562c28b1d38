// Who may do what. The configuration gives roles to users and groups; what one caller may do is the sum of
// what its user and its groups were given. The kernel says who a caller is; nothing here asks. Pure; any
// thread once made.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pqd {

// The name of a queue or a type, or the beginning of names: "mail", "mail.*", "*".
class NamePattern {
 public:
  // Nothing: this is no name, and no beginning of one with a `*` behind it.
  static std::optional<NamePattern> parse(std::string_view text);
  static NamePattern everything() { return {"", true}; }

  bool matches(std::string_view name) const { return beginning_ ? name.starts_with(text_) : name == text_; }
  bool matches_all() const { return beginning_ && text_.empty(); }

 private:
  NamePattern(std::string_view text, bool beginning) : text_(text), beginning_(beginning) {}

  std::string text_;
  bool beginning_;  // what comes behind it does not matter
};

// Which jobs a consumer may be given: "mail", "mail/send", "*/report.*"; every type where none is said.
struct ConsumeRight {
  NamePattern queue;
  NamePattern type;

  static std::optional<ConsumeRight> parse(std::string_view text);
};

// What one user or group is given.
struct AccessRule {
  bool admin = false;     // everything
  bool operates = false;  // reads everything, pauses, resumes and drains queues, reviews and redrives
  bool acts_for = false;  // submits in the name of end users
  std::vector<NamePattern> produces;  // queues it may submit into
  std::vector<ConsumeRight> consumes;

  // It lets its owner in.
  bool any_role() const { return admin || operates || !produces.empty() || !consumes.empty(); }
};

// All of it. Root and the daemon's own user are administrators, whatever is said.
struct AccessRules {
  uint32_t daemon_uid = 0;
  std::map<uint32_t, AccessRule> users;
  std::map<uint32_t, AccessRule> groups;
  std::optional<AccessRule> everyone;  // every user of this machine

  bool lets_others_in() const { return everyone || !users.empty() || !groups.empty(); }
  bool is_master(uint32_t uid) const { return uid == 0 || uid == daemon_uid; }
  // Its submits are not counted, unless they are in somebody's name or a limit names it: services that are
  // named as users, and the masters.
  bool is_unlimited(uint32_t uid) const { return is_master(uid) || users.contains(uid); }
};

// What one caller may do. REQUIRES: the rules outlive it.
class Rights {
 public:
  Rights() = default;  // nothing
  Rights(const AccessRules& rules, uint32_t uid, std::span<const uint32_t> groups);

  bool any() const { return admin_ || !rules_.empty(); }
  bool admin() const { return admin_; }
  bool operates() const { return operates_; }
  bool acts_for() const { return acts_for_; }
  bool may_submit(std::string_view queue) const;
  // `types`: none = all there are and will be.
  bool may_consume(std::string_view queue, std::span<const std::string_view> types) const;

 private:
  void add(const AccessRule& rule);
  bool allows(std::string_view queue, std::optional<std::string_view> type) const;

  bool admin_ = false;
  bool operates_ = false;  // so does every administrator
  bool acts_for_ = false;
  std::vector<const AccessRule*> rules_;
};

}  // namespace pqd
