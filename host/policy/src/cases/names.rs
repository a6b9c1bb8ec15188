//! What the contract's enums are called in files.

use ringfence_chat::{Kind, Role};
use ringfence_fence::Zone;
use serde::{Deserialize, Serialize};

/// Who speaks.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RoleName {
    System,
    User,
    Assistant,
    Tool,
}

/// What a segment is for.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum KindName {
    Text,
    Reasoning,
    ToolCall,
    ToolResult,
    ToolDefinition,
    Name,
    Metadata,
    Link,
    Attachment,
}

/// Where a target is.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ZoneName {
    Process,
    Premises,
    Cloud,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Role {
        match name {
            RoleName::System => Role::System,
            RoleName::User => Role::User,
            RoleName::Assistant => Role::Assistant,
            RoleName::Tool => Role::Tool,
        }
    }
}

impl From<Role> for RoleName {
    fn from(role: Role) -> RoleName {
        match role {
            Role::System => RoleName::System,
            Role::User => RoleName::User,
            Role::Assistant => RoleName::Assistant,
            Role::Tool => RoleName::Tool,
        }
    }
}

impl From<KindName> for Kind {
    fn from(name: KindName) -> Kind {
        match name {
            KindName::Text => Kind::Text,
            KindName::Reasoning => Kind::Reasoning,
            KindName::ToolCall => Kind::ToolCall,
            KindName::ToolResult => Kind::ToolResult,
            KindName::ToolDefinition => Kind::ToolDefinition,
            KindName::Name => Kind::Name,
            KindName::Metadata => Kind::Metadata,
            KindName::Link => Kind::Link,
            KindName::Attachment => Kind::Attachment,
        }
    }
}

impl From<Kind> for KindName {
    fn from(kind: Kind) -> KindName {
        match kind {
            Kind::Text => KindName::Text,
            Kind::Reasoning => KindName::Reasoning,
            Kind::ToolCall => KindName::ToolCall,
            Kind::ToolResult => KindName::ToolResult,
            Kind::ToolDefinition => KindName::ToolDefinition,
            Kind::Name => KindName::Name,
            Kind::Metadata => KindName::Metadata,
            Kind::Link => KindName::Link,
            Kind::Attachment => KindName::Attachment,
        }
    }
}

impl From<ZoneName> for Zone {
    fn from(name: ZoneName) -> Zone {
        match name {
            ZoneName::Process => Zone::Process,
            ZoneName::Premises => Zone::Premises,
            ZoneName::Cloud => Zone::Cloud,
        }
    }
}

impl From<Zone> for ZoneName {
    fn from(zone: Zone) -> ZoneName {
        match zone {
            Zone::Process => ZoneName::Process,
            Zone::Premises => ZoneName::Premises,
            Zone::Cloud => ZoneName::Cloud,
        }
    }
}
