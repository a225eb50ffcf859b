use std::{fs, path::Path};

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, LitStr, Result};

pub fn expand(folder: &LitStr) -> Result<TokenStream> {
    let fail = |message: String| Error::new_spanned(folder, message);
    let package = std::env::var("CARGO_MANIFEST_DIR").map_err(|error| fail(error.to_string()))?;
    let path = Path::new(&package).join(folder.value());
    let entries = fs::read_dir(&path).map_err(|error| fail(format!("{}: {error}", path.display())))?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| fail(error.to_string()))?;
        if entry.path().is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort_unstable();
    let mut migrations = Vec::new();
    for name in &names {
        let file = |file: String| {
            let path = path.join(name).join(file);
            let text = path.is_file().then(|| path.to_string_lossy().into_owned());
            text.map(|path| quote!(include_str!(#path)))
        };
        let variants = |verb: &str| {
            let dialects = ["sqlite", "postgres", "mysql"].into_iter();
            let found = dialects
                .filter_map(|dialect| file(format!("{verb}.{dialect}.sql")).map(|text| quote!((#dialect, #text))));
            quote!(&[#(#found),*])
        };
        let (Some(up), Some(down)) = (file("up.sql".to_owned()), file("down.sql".to_owned())) else {
            return Err(fail(format!("the migration {name} needs both up.sql and down.sql")));
        };
        let (up_variants, down_variants) = (variants("up"), variants("down"));
        migrations.push(quote! {
            ::paravel::database::Migration::new(#name, #up, #down, #up_variants, #down_variants)
        });
    }
    Ok(quote!(&[#(#migrations),*]))
}
