use paravel::serde::Deserialize;

/// In which order users are listed. A minus sign turns it round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum UserSort {
    /// `name`
    #[serde(rename = "name")]
    Name,
    /// `-name`
    #[serde(rename = "-name")]
    NameDescending,
    /// `email`
    #[serde(rename = "email")]
    Email,
    /// `-email`
    #[serde(rename = "-email")]
    EmailDescending,
    /// `created_at`: oldest first, the default
    #[default]
    #[serde(rename = "created_at")]
    CreatedAt,
    /// `-created_at`
    #[serde(rename = "-created_at")]
    CreatedAtDescending,
}

/// In which order roles are listed. A minus sign turns it round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum RoleSort {
    /// `name`, the default
    #[default]
    #[serde(rename = "name")]
    Name,
    /// `-name`
    #[serde(rename = "-name")]
    NameDescending,
    /// `created_at`: oldest first
    #[serde(rename = "created_at")]
    CreatedAt,
    /// `-created_at`
    #[serde(rename = "-created_at")]
    CreatedAtDescending,
}
